"""Operations over a bucket in memory go as those over JetStream."""

import pytest

from support.operations_contract import OperationsContract
from windlass_eventlog.memory import MemoryKeyValue


class TestMemoryOperations(OperationsContract):
    @pytest.fixture
    def bucket(self) -> MemoryKeyValue:
        return MemoryKeyValue()
