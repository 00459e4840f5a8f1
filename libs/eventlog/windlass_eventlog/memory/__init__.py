"""The log and what stands around it in memory: passes the same contract tests as the real adapters."""

from windlass_eventlog.memory.audit import MemoryAudit
from windlass_eventlog.memory.buckets import MemoryKeyValue, MemoryObjects
from windlass_eventlog.memory.log import MemoryLog
from windlass_eventlog.memory.reactors import Delivery, MemoryReactors
from windlass_eventlog.memory.rows import MemoryRows

__all__ = ["Delivery", "MemoryAudit", "MemoryKeyValue", "MemoryLog", "MemoryObjects", "MemoryReactors", "MemoryRows"]
