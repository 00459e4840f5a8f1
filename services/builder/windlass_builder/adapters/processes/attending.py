"""What an app writes until it ends, from the files that its supervisor writes: lines `<nanoseconds> <1|2> <text>`."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from asyncinotify import Inotify, Mask

from windlass_builder.adapters.processes.supervised import ask
from windlass_builder.adapters.processes.supervision.record import LOG_FOLDER
from windlass_builder.application.runtime import OutputSink
from windlass_builder.domain.workloads import OutputLine, OutputStream

_STREAMS = {b"1": OutputStream.STDOUT, b"2": OutputStream.STDERR}


async def pass_on(runner: Path, output: OutputSink, after: datetime | None) -> None:
    """Pass on what the runner in that folder writes, behind that time where one is given, until it has ended."""
    folder = runner / LOG_FOLDER
    ended = asyncio.create_task(ask(runner, "wait"))
    with Inotify() as changes, ExitStack() as files:
        changes.add_watch(folder, Mask.MODIFY | Mask.CREATE)
        lines = _Lines(folder, files)
        try:
            while not ended.done():
                await _take(lines, output, after)
                changed = asyncio.ensure_future(changes.get())
                try:
                    await asyncio.wait({ended, changed}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    changed.cancel()
                    await asyncio.wait({changed})  # only then does the loop let go of what is closed here
            ended.result()
        finally:
            ended.cancel()
            await asyncio.wait({ended})
        await _take(lines, output, after)


async def _take(lines: "_Lines", output: OutputSink, after: datetime | None) -> None:
    for line in lines.fresh():
        if after is None or line.time > after:
            await output(line)


class _Lines:
    """Reads numbered files in their order as they are appended to; `files` closes them."""

    def __init__(self, folder: Path, files: ExitStack) -> None:
        self._folder = folder
        self._files = files
        self._open: dict[Path, IO[bytes]] = {}
        self._begun = b""

    def fresh(self) -> Iterator[OutputLine]:
        """Yield the lines that were appended since the last call."""
        for path in sorted(self._folder.glob("*.log")):
            if path not in self._open:
                self._open[path] = self._files.enter_context(path.open("rb"))
            while piece := self._open[path].readline():
                self._begun += piece
                if self._begun.endswith(b"\n"):  # a line may be read while it is being written
                    yield _parsed(self._begun[:-1])
                    self._begun = b""


def _parsed(line: bytes) -> OutputLine:
    time, _, rest = line.partition(b" ")
    stream, _, text = rest.partition(b" ")
    return OutputLine(datetime.fromtimestamp(int(time) / 1e9, UTC), _STREAMS[stream], text)
