"""Lines that an engine saw at the very same nanosecond, read by a reader that was away in between."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from uuid import uuid4

from windlass_contracts.ids import DeploymentId, ProjectId, TeamId
from windlass_eventlog.logs.memory import MemoryLogStore
from windlass_eventlog.logs.port import DeploymentLog
from windlass_eventlog.memory.buckets import MemoryKeyValue
from windlass_eventlog.memory.keys import MemoryKeys
from windlass_eventlog.vault import Vault
from windlass_logs.application.following import Following
from windlass_logs.application.log_source import LogSource, Position, SourceLine, Stream

LOG = DeploymentLog(TeamId(uuid4()), ProjectId(uuid4()), DeploymentId(uuid4()))
OUTPUT = [SourceLine(Position(5, ordinal), Stream.OUT, b"line %d" % ordinal) for ordinal in range(4)]


@dataclass
class BrokenOffSource(LogSource):
    """Yields what was written at one moment, but only so many lines of it."""

    lines: int

    async def follow(self, runner: str, after: Position | None = None) -> AsyncGenerator[SourceLine, None]:
        assert runner == "web-0"
        for line in OUTPUT[: self.lines]:
            if after is None or line.position > after:
                yield line


async def test_lines_of_one_nanosecond_are_neither_lost_nor_doubled() -> None:
    store, vault = MemoryLogStore(), Vault(MemoryKeyValue(), MemoryKeys())
    for lines in (1, 2, 2, 4):
        await Following(BrokenOffSource(lines), store, vault).follow("web-0", LOG, ())

    stored = [line.text async for batch in store.read(LOG) for line in batch.lines]
    assert stored == ["line 0", "line 1", "line 2", "line 3"]
