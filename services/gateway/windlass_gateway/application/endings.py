"""Whoever is let in once, and then follows a stream for hours, is told when that ends."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from windlass_gateway.application.access import Caller


@dataclass(frozen=True, slots=True)
class Endings:
    """The streams that are open in this process, by the actor who follows them."""

    _open: dict[str, set[asyncio.Event]] = field(default_factory=dict)

    def end(self, actor: str) -> None:
        """End all that the actor follows."""
        for ending in self._open.get(actor, ()):
            ending.set()

    @contextmanager
    def of(self, caller: Caller, now: datetime) -> Iterator[asyncio.Event]:
        """Give an event that is set when the caller is not let in any more: their token expires, or is revoked."""
        ending = asyncio.Event()
        followed = self._open.setdefault(caller.actor, set())
        followed.add(ending)
        timer = _timer(caller, now, ending)
        try:
            yield ending
        finally:
            followed.discard(ending)
            if not followed:
                self._open.pop(caller.actor, None)
            if timer is not None:
                timer.cancel()


def _timer(caller: Caller, now: datetime, ending: asyncio.Event) -> asyncio.TimerHandle | None:
    if caller.until is None:
        return None
    seconds = max(0.0, (caller.until - now).total_seconds())
    return asyncio.get_running_loop().call_later(seconds, ending.set)
