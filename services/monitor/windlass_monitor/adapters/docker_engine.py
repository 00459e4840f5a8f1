"""The Docker engine's presence, told by a stream of its events: that breaks off the moment the engine is gone."""

import asyncio
from dataclasses import dataclass, field
from typing import NoReturn

import aiohttp
import structlog
from aiodocker import Docker, DockerError

from windlass_eventlog.clock import Clock
from windlass_monitor.application.engine import Engine
from windlass_monitor.domain.presence import Presence

_USUAL_SOCKET = "unix:///var/run/docker.sock"
_ANSWERS_WITHIN_S = 5.0
_BETWEEN_TRIES_S = 0.5
_HARDLY_ANY = {"type": ["daemon"], "event": ["reload"]}
"""The events that are asked for: none of them matters, only that the stream goes on."""
_AWAY = (DockerError, aiohttp.ClientError, OSError, TimeoutError)

_log = structlog.get_logger(__name__)


def connect() -> Docker:
    """Return a client of the engine that the environment names, or of the usual socket, also while nobody made that."""
    try:
        return Docker()
    except (ValueError, AssertionError):  # what aiodocker answers where it finds no socket
        return Docker(url=_USUAL_SOCKET)


@dataclass(slots=True)
class DockerEngine(Engine):
    """Follows an engine, by a client that nobody else follows events with."""

    docker: Docker
    clock: Clock
    _presence: Presence = field(default=Presence(None), init=False)

    @property
    def presence(self) -> Presence:
        return self._presence

    async def run(self) -> NoReturn:
        """Follow until canceled."""
        returned = False
        while True:
            if await self._is_there():
                self._presence = Presence(self.clock(), returned)
                await self._until_it_breaks_off()
                self._presence = Presence(None)
            returned = True
            await asyncio.sleep(_BETWEEN_TRIES_S)  # one that is down cannot call

    async def _is_there(self) -> bool:
        try:
            async with asyncio.timeout(_ANSWERS_WITHIN_S):
                await self.docker.version()
        except _AWAY:
            return False
        return True

    async def _until_it_breaks_off(self) -> None:
        reason = "the stream ended"
        try:
            await self.docker.events.run(filters=_HARDLY_ANY)
        except _AWAY as error:
            reason = str(error) or type(error).__name__
        _log.warning("engine.away", reason=reason)
