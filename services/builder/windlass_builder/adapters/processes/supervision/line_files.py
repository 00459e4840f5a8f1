"""Output as numbered files of lines `<nanoseconds> <1|2> <text>`, the oldest deleted, times never twice the same.

Standard library only: supervisors import this.
"""

import os
from io import FileIO
from time import time_ns

FILE_BYTES = 20 * 10**6
FILES_KEPT = 5


class LineFiles:
    """Appends lines to a folder's newest file. A slow disk makes the app wait; a full one costs lines, and says so."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self._number = max(self._numbers(), default=1)
        self._file = self._open()
        self._last = 0
        self._lost = 0

    def write(self, stream: int, line: bytes) -> None:
        try:
            if self._lost:
                self._append(2, b"Windlass lost %d lines here: the disk was full." % self._lost)
                self._lost = 0
            self._append(stream, line)
        except OSError:
            self._lost += 1
        if self._file.tell() >= FILE_BYTES:
            self._turn_over()

    def _append(self, stream: int, line: bytes) -> None:
        self._last = max(time_ns(), self._last + 1)
        self._file.write(b"%d %d %b\n" % (self._last, stream, line))

    def close(self) -> None:
        self._file.close()

    def _turn_over(self) -> None:
        self._file.close()
        self._number += 1
        self._file = self._open()
        for number in sorted(self._numbers())[:-FILES_KEPT]:
            os.unlink(self._path(number))

    def _open(self) -> FileIO:
        return FileIO(self._path(self._number), "ab", opener=_private)

    def _path(self, number: int) -> str:
        return f"{self._folder}/{number:08}.log"

    def _numbers(self) -> list[int]:
        names = os.listdir(self._folder)
        return [int(name.removesuffix(".log")) for name in names if name.endswith(".log")]


def _private(path: str, flags: int) -> int:
    """Open a file that no other user reads: what an app writes may be a secret, and is not redacted here."""
    return os.open(path, flags, mode=0o600)
