"""The audit in memory."""

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from windlass_eventlog.audit import Audit, AuditEntry
from windlass_eventlog.topology import AUDITS_PER_SUBJECT


@dataclass(frozen=True, slots=True)
class MemoryAudit(Audit):
    """Entries by their ids, in the order in which they came."""

    entries: dict[UUID, AuditEntry] = field(default_factory=dict)
    _subjects: dict[str, deque[UUID]] = field(default_factory=lambda: defaultdict(deque))

    async def append(self, entry: AuditEntry) -> None:
        if entry.id in self.entries:
            return
        self.entries[entry.id] = entry
        kept = self._subjects[entry.subject]
        kept.append(entry.id)
        if len(kept) > AUDITS_PER_SUBJECT:
            del self.entries[kept.popleft()]

    async def latest(self, limit: int, *, actor: str | None = None, code: str | None = None) -> Sequence[AuditEntry]:
        return [one for one in reversed(self.entries.values()) if one.answers(actor, code)][:limit]
