"""Rows in memory do what those in PostgreSQL do."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from support.rows_contract import Opened, RowsContract
from windlass_eventlog.folding import AnyProjection
from windlass_eventlog.memory import MemoryLog, MemoryRows


@asynccontextmanager
async def in_memory(log: MemoryLog, projections: Sequence[AnyProjection]) -> AsyncIterator[MemoryRows]:
    yield MemoryRows(log, projections)


class TestMemoryRows(RowsContract):
    @pytest.fixture
    def opened(self) -> Opened:
        return in_memory
