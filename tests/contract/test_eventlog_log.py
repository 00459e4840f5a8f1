"""The log in memory does what the one on JetStream does."""

import pytest

from support.log_contract import LogContract
from windlass_eventlog.memory import MemoryLog


class TestMemoryLog(LogContract):
    @pytest.fixture
    def log(self) -> MemoryLog:
        return MemoryLog()
