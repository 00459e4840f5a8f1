"""Work is stopped by the end of what it is about, and by nothing that the rows do not tell for a moment."""

import asyncio
from pathlib import Path

import pytest

from support.memory_builder import MemoryBuilder
from windlass_builder.application import interruption
from windlass_builder.application.interruption import DeploymentEndedError, unless_ended
from windlass_contracts.events import DeploymentCanceled
from windlass_eventlog.errors import RowsUnavailableError
from windlass_eventlog.memory import MemoryRows


async def _forever(ended: asyncio.Event) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        ended.set()


async def test_a_database_that_is_away_for_a_moment_stops_nothing_and_hides_no_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder, asked, stopped = MemoryBuilder(tmp_path), asyncio.Event(), asyncio.Event()
    identity = await builder.requested()

    async def away(*_: object) -> None:
        asked.set()
        raise RowsUnavailableError("The database does not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(interruption, "_AGAIN_AFTER_S", 0)
        patch.setattr(MemoryRows, "get", away)
        working = asyncio.ensure_future(unless_ended(builder.rows, identity, _forever(stopped)))
        await asked.wait()
        await asyncio.sleep(0)
        assert not working.done()
    await builder.tell(identity, DeploymentCanceled())
    with pytest.raises(DeploymentEndedError):
        await asyncio.wait_for(working, 60)
    assert stopped.is_set()
