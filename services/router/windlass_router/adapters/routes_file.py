"""The folder that the proxies watch, and the one file in it that is ours.

It is written outside the folder and renamed into it, so that they see one change. The last one that was confirmed is
kept beside the folder. Source: https://doc.traefik.io/traefik/reference/install-configuration/providers/others/file/
"""

import os
from dataclasses import dataclass
from pathlib import Path

from windlass_eventlog.failpoints import reach
from windlass_router.application.proxy import NotWrittenError

FILE = "000-routes.yml"
_PRIVATE = 0o600


@dataclass(frozen=True, slots=True)
class RoutesFile:
    """`folder` is the one that is watched; its parent is on the same file system."""

    folder: Path

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

    def write(self, content: bytes) -> None:
        """Let this lie there.

        Raises:
            NotWrittenError: what lay there still does.
        """
        written = self.folder.parent / f"{FILE}.new"
        try:
            descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            reach("before_write", "routes")
            written.replace(self._path)
            reach("after_write", "routes")
        except OSError as error:
            raise self._unusable(error) from error

    def keep(self) -> None:
        """Keep what lies there as the last good configuration.

        Raises:
            NotWrittenError: the one before is still kept.
        """
        linked = self.folder.parent / f"{FILE}.linked"
        try:
            linked.unlink(missing_ok=True)
            os.link(self._path, linked)
            linked.replace(self.last_good)
        except OSError as error:
            raise self._unusable(error) from error

    @property
    def _path(self) -> Path:
        return self.folder / FILE

    def _unusable(self, error: OSError) -> NotWrittenError:
        return NotWrittenError(
            f"The routes cannot be written to {self.folder}: {error.strerror}. "
            f"The proxies go on with those they have; free the disk, or correct the folder's owner and mode."
        )
