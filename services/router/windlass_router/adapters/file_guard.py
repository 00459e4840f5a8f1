"""Keeping the routes' file as it was handed over, whatever anybody does to it by hand. Linux only, by inotify."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import stamina
import structlog
from asyncinotify import Inotify, Mask

from windlass_router.adapters.routes_file import RoutesFile
from windlass_router.application.proxy import NotWrittenError

_GONE = Mask.DELETE_SELF | Mask.MOVE_SELF | Mask.IGNORED
_CHANGED = Mask.MODIFY | Mask.CLOSE_WRITE | Mask.MOVED_TO | Mask.MOVED_FROM | Mask.DELETE | Mask.ATTRIB | _GONE
_LONGEST_PAUSE_S = 2.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FileGuard:
    """Proxies take tens of milliseconds to read a changed file: most never see what was put right at once."""

    file: RoutesFile

    async def keep(self) -> None:
        """Put right what somebody changes or deletes, until canceled; not at all where the folder cannot be watched."""
        try:
            while True:
                await self._mend()
                with Inotify() as changes, suppress(FileNotFoundError):  # it was removed again: it is made again
                    changes.add_watch(self.file.folder, _CHANGED)
                    await self._mend()  # what happened before it was watched
                    await self._watch(changes)
        except OSError as error:
            _log.warning("routes.not_guarded", reason=str(error), way_out="raise fs.inotify.max_user_instances")

    async def _watch(self, changes: Inotify) -> None:
        """Look after each change, until the folder is not there any more."""
        while not (await changes.get()).mask & _GONE:
            await self._mend()

    async def _mend(self) -> None:
        async for attempt in stamina.retry_context(
            on=NotWrittenError, attempts=None, timeout=None, wait_max=_LONGEST_PAUSE_S
        ):
            with attempt:
                if await asyncio.to_thread(self.file.mend):
                    _log.warning("routes.file_mended", folder=str(self.file.folder))
