"""The events that supervisors wrote, followed as they are written."""

import json
from collections.abc import AsyncGenerator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Self
from uuid import UUID

from asyncinotify import Inotify, Mask

from windlass_builder.adapters.processes.supervision.record import EARLIER_EVENTS_FILE, EVENTS_FILE
from windlass_builder.domain.workloads import (
    RunnerEvent,
    RunnerExited,
    RunnerPaused,
    RunnerRemoved,
    RunnerResumed,
    RunnerStarted,
)

_SIMPLE = {
    "started": RunnerStarted,
    "paused": RunnerPaused,
    "resumed": RunnerResumed,
    "removed": RunnerRemoved,
}


async def follow_events(folder: Path, since: datetime | None) -> AsyncGenerator[RunnerEvent, None]:
    """Yield the events in the folder from `since` (now, without it) for ever; see `Runtime.events`."""
    start = since or datetime.now(UTC)
    with Inotify() as changes:
        changes.add_watch(folder, Mask.MODIFY | Mask.CREATE | Mask.MOVED_TO)
        with _EventsFile(folder) as file:
            while True:
                for event in file.fresh():
                    if event.at >= start:
                        yield event
                await changes.get()


class _EventsFile:
    """Reads what is appended, also after the file has become the earlier one and a new one was begun."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: IO[bytes] | None = None
        self._begun = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._open is not None:
            self._open.close()

    def fresh(self) -> Iterator[RunnerEvent]:
        """Yield the events that were appended since the last call, the earlier file's first."""
        if self._open is None:
            yield from self._lines_of(EARLIER_EVENTS_FILE)
        yield from self._rest()
        while self._turned_over():
            if self._open is not None:
                self._open.close()
            self._open = (self._folder / EVENTS_FILE).open("rb")
            yield from self._rest()

    def _turned_over(self) -> bool:
        current = self._folder / EVENTS_FILE
        if not current.exists():
            return False
        return self._open is None or not Path(f"/proc/self/fd/{self._open.fileno()}").samefile(current)

    def _rest(self) -> Iterator[RunnerEvent]:
        while self._open is not None and (line := self._open.readline()):
            self._begun += line
            if self._begun.endswith(b"\n"):  # a line may be read while it is being written
                yield _typed(json.loads(self._begun))
                self._begun = b""

    def _lines_of(self, name: str) -> Iterator[RunnerEvent]:
        earlier = self._folder / name
        if earlier.exists():
            yield from (_typed(json.loads(line)) for line in earlier.read_bytes().splitlines())


def _typed(said: dict[str, Any]) -> RunnerEvent:
    runner, project, deployment = said["name"], UUID(said["project"]), UUID(said["deployment"])
    at = datetime.fromtimestamp(said["at"] / 1e9, UTC)
    if said["event"] == "exited":
        return RunnerExited(
            runner=runner,
            project=project,
            deployment=deployment,
            at=at,
            exit_code=said["exit_code"],
            out_of_memory=said["out_of_memory"],
        )
    return _SIMPLE[said["event"]](runner=runner, project=project, deployment=deployment, at=at)
