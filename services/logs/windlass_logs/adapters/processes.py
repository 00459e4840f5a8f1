"""The output of apps that run as processes, from the files that their supervisors write: `<ns> <1|2> <text>` lines."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import closing
from pathlib import Path
from typing import IO

from asyncinotify import Inotify, Mask

from windlass_logs.application.log_source import Position, SourceLine, Stream

_STREAMS = {b"1": Stream.OUT, b"2": Stream.ERR}


class ProcessLogSource:
    """`LogSource` of the runners below the state folder `home`. Linux only, as those are."""

    def __init__(self, home: Path) -> None:
        self._runners = home / "processes" / "runners"

    async def follow(self, runner: str, after: Position | None = None) -> AsyncGenerator[SourceLine, None]:
        folder = self._runners / runner / "log"
        with Inotify() as changes:
            # The folder itself says nothing of its end as long as a file in it is open: its parent does.
            runners = changes.add_watch(self._runners, Mask.MOVED_FROM | Mask.DELETE)
            try:
                changes.add_watch(folder, Mask.MODIFY | Mask.CREATE)
            except FileNotFoundError:
                return
            with closing(_NumberedFiles(folder, after)) as files:
                while True:
                    for line in files.fresh():
                        if after is None or line.position > after:
                            yield line
                    change = await changes.get()
                    if change.watch is runners and change.name == Path(runner):
                        return


class _NumberedFiles:
    """Reads files named by ascending numbers as they are appended to; the oldest may be deleted at any moment."""

    def __init__(self, folder: Path, after: Position | None) -> None:
        self._folder = folder
        self._after = after
        self._path: Path | None = None
        self._open: IO[bytes] | None = None
        self._begun = b""

    def fresh(self) -> Iterator[SourceLine]:
        """Yield the lines that were appended since the last call."""
        yield from self._rest()
        while (following := self._next()) is not None:
            yield from self._rest()  # what came between the last look and the next file's beginning
            self._turn_to(following)
            yield from self._rest()

    def close(self) -> None:
        if self._open is not None:
            self._open.close()

    def _next(self) -> Path | None:
        paths = sorted(self._folder.glob("*.log"))
        if self._path is None:
            return self._first(paths)
        return next((path for path in paths if path > self._path), None)

    def _first(self, paths: list[Path]) -> Path | None:
        """Return the last file that began before the position: those before it hold nothing that is wanted."""
        earlier = [path for path in paths if self._after is not None and _begins_before(path, self._after)]
        return next(iter(earlier[-1:] or paths[:1]), None)

    def _turn_to(self, path: Path) -> None:
        self.close()
        self._path, self._open, self._begun = path, path.open("rb"), b""

    def _rest(self) -> Iterator[SourceLine]:
        while self._open is not None and (piece := self._open.readline()):
            self._begun += piece
            if self._begun.endswith(b"\n"):  # a line may be read while it is being written
                yield _parsed(self._begun[:-1])
                self._begun = b""


def _begins_before(path: Path, position: Position) -> bool:
    with path.open("rb") as file:
        first = file.readline()
    return first.endswith(b"\n") and _parsed(first[:-1]).position <= position


def _parsed(line: bytes) -> SourceLine:
    time, _, rest = line.partition(b" ")
    stream, _, text = rest.partition(b" ")
    return SourceLine(Position(int(time), 0), _STREAMS[stream], text)
