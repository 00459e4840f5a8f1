"""Locks of a node: what only one of its builders may do at a time, for as long as that one lives."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol
from uuid import UUID

Release = Callable[[], None]


def deleting(project: UUID) -> str:
    """Return the name of the lock that is held while something of the project is deleted."""
    return f"deleting of {project}"


class Locks(Protocol):
    """Locks by name, shared by all builders of a node; one that dies holds none any more."""

    def alone(self, name: str) -> AbstractAsyncContextManager[None]:
        """Wait until nobody else holds the lock, and hold it for the block."""
        ...

    def attempt(self, name: str) -> Release | None:
        """Take the lock, and return what gives it back; None where somebody else holds it."""
        ...


@dataclass(slots=True)
class OwnLocks(Locks):
    """The locks of one process, each given on in the order of asking."""

    _waiting: "dict[str, deque[asyncio.Future[None]]]" = field(default_factory=dict)
    """Who waits for each lock that is held."""

    @asynccontextmanager
    async def alone(self, name: str) -> AsyncIterator[None]:
        release = self.attempt(name) or await self._waited(name)
        try:
            yield
        finally:
            release()

    def attempt(self, name: str) -> Release | None:
        if name in self._waiting:
            return None
        self._waiting[name] = deque()
        return partial(self._give_on, name)

    async def _waited(self, name: str) -> Release:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[name].append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._waiting[name].remove(turn)
            else:  # it had become ours at the same moment
                self._give_on(name)
            raise
        return partial(self._give_on, name)

    def _give_on(self, name: str) -> None:
        while (waiting := self._waiting[name]) and (turn := waiting.popleft()):
            if not turn.done():
                turn.set_result(None)
                return
        del self._waiting[name]
