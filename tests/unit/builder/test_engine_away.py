"""An engine that is away, or refuses, fails no deployment, fills no log, and is gone on with once it is back."""

from datetime import timedelta
from pathlib import Path

import pytest

from support.memory_builder import MemoryBuilder
from support.memory_runtime import MemoryRuntime
from windlass_builder.application.runtime_errors import EngineError

AN_HOUR = timedelta(hours=1)


@pytest.fixture
def builder(tmp_path: Path) -> MemoryBuilder:
    return MemoryBuilder(tmp_path)


async def _refuses(*_: object) -> None:
    raise EngineError("It does not answer.")


async def test_nothing_is_told_of_builds_while_it_is_away_and_it_is_asked_again_soon(
    builder: MemoryBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemoryRuntime, "prepare", _refuses)
    identity = await builder.requested()
    await builder.reactors.advance(AN_HOUR)
    assert builder.types(identity) == ["deployment.requested.v1"]
    monkeypatch.undo()
    await builder.reactors.advance(timedelta(seconds=2))
    assert "container.started.v1" in builder.types(identity)


async def test_one_that_refuses_what_it_is_to_build_is_asked_less_and_less_often(
    builder: MemoryBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemoryRuntime, "build", _refuses)
    identity = await builder.requested()
    await builder.reactors.advance(AN_HOUR)
    assert 60 <= builder.types(identity).count("build.started.v1") <= 70
    monkeypatch.undo()
    await builder.reactors.advance(timedelta(minutes=1))
    assert "container.started.v1" in builder.types(identity)
