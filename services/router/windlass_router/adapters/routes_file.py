"""The one file that the proxies watch.

It is written outside its folder and renamed into it, so that they see one change; the disk has it before anybody is
told that they serve it. A loss of power before that leaves a damaged one at worst, as anybody's hand may.
The last one that was confirmed is kept beside the folder.
Source: https://doc.traefik.io/traefik/reference/install-configuration/providers/others/file/
"""

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from windlass_eventlog.failpoints import reach
from windlass_router.application.proxy import NotWrittenError

FILE = "000-routes.yml"
_PRIVATE = 0o600


@dataclass(slots=True)
class RoutesFile:
    """`folder` has it and nothing else; the folder's parent is on the same file system. Threads may share it."""

    folder: Path
    _given: bytes | None = field(default=None, init=False)
    _alone: Lock = field(default_factory=Lock, init=False)

    @property
    def last_good(self) -> Path:
        """The last configuration that every proxy confirmed."""
        return self.folder.parent / f"{FILE}.last-good"

    def read(self) -> bytes | None:
        """Return what lies there.

        Raises:
            NotWrittenError: it cannot be read.
        """
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable(error) from error

    def hand_over(self, content: bytes) -> bool:
        """Let this lie there from now on; False where it did already. What `settle` follows outlasts a loss of power.

        Raises:
            NotWrittenError: what lay there still does.
        """
        with self._alone:
            self._given = content
            return self._put(content)

    def mend(self) -> bool:
        """Let lie there again what was handed over last; False where it does, or nothing was yet. The folder is made.

        Raises:
            NotWrittenError: it does not.
        """
        with self._alone:
            self._make_folder()
            if self._given is None or not self._put(self._given):
                return False
        self.settle()
        return True

    def settle(self) -> None:
        """Wait until what lies there is on the disk, which may take longer than the proxies need to serve it.

        Raises:
            NotWrittenError: it cannot be made sure.
        """
        try:
            with self._path.open("rb") as file:
                os.fsync(file.fileno())
        except FileNotFoundError:
            return  # somebody took it away right then: what puts it back settles it
        except OSError as error:
            raise self._unusable(error) from error

    def _put(self, content: bytes) -> bool:
        # What cannot be read is not looked at any further: nobody needs its rights to put another in its place.
        with suppress(NotWrittenError):
            if self.read() == content:
                return False
        self._write(content)
        return True

    def _write(self, content: bytes) -> None:
        written = self.folder.parent / f"{FILE}.new"
        try:
            descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            reach("before_write", "routes")
            written.replace(self._path)
            reach("after_write", "routes")
        except OSError as error:
            raise self._unusable(error) from error

    def copy(self) -> None:
        """Have a copy on the disk of what was handed over last, for `keep`.

        Raises:
            NotWrittenError: there is none.
        """
        try:  # a copy, and no link: who damages the file where it is would damage both
            descriptor = os.open(self._copy, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
            with os.fdopen(descriptor, "wb") as file:
                file.write(self._given or b"")
                file.flush()
                os.fsync(descriptor)
        except OSError as error:
            raise self._unusable(error) from error

    def keep(self) -> None:
        """Keep the copy as the last good configuration.

        Raises:
            NotWrittenError: the one before is still kept.
        """
        try:
            self._copy.replace(self.last_good)
        except OSError as error:
            raise self._unusable(error) from error

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(exist_ok=True)
        except OSError as error:
            raise self._unusable(error) from error

    @property
    def _path(self) -> Path:
        return self.folder / FILE

    @property
    def _copy(self) -> Path:
        return self.folder.parent / f"{FILE}.copy"

    def _unusable(self, error: OSError) -> NotWrittenError:
        return NotWrittenError(
            f"The routes cannot be written to {self.folder}: {error.strerror}. "
            f"The proxies go on with those they have; free the disk, or correct the folder's owner and mode."
        )
