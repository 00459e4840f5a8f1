"""Keeps one process running until it is told to stop."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from windlass.up.backoff import Backoff
from windlass.up.child import Running, describe_exit
from windlass.up.errors import StartError
from windlass.up.narrator import Narrator

_ATTEMPTS_AT_START = 3
_KILL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Role:
    """What is to run: `launch` returns once it is ready, and leaves nothing running when it raises."""

    name: str
    launch: Callable[[], Awaitable[Running]]
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10.0


class Supervised:
    """One role, played by one process after another."""

    def __init__(self, role: Role, narrator: Narrator) -> None:
        self._role = role
        self._narrator = narrator
        self._running: Running | None = None

    @property
    def name(self) -> str:
        return self._role.name

    async def start(self) -> None:
        """Launch it; a failure is tried again twice.

        Raises:
            StartError: it did not become ready.
        """
        await self._launch(Backoff(), attempts=_ATTEMPTS_AT_START)

    async def keep(self) -> None:
        """Start it again whenever it ends, until cancelled; do that before `stop`."""
        backoff = Backoff()
        while self._running is not None:
            since = time.monotonic()
            ended = await self._running.exit()
            backoff = backoff.after_death(time.monotonic() - since)
            self._say(describe_exit(ended, self._role.log), backoff)
            await asyncio.sleep(backoff.delay)
            backoff = await self._launch(backoff, attempts=None)
            self._narrator.say(f"{self.name} runs again.")

    async def stop(self) -> None:
        """Ask it to end, and end it by force when its time is up."""
        if self._running is None:
            return
        self._running.send(self._role.stop_signal)
        if await self._ends_within(self._role.stop_seconds):
            return
        self._narrator.warn(f"{self.name} did not stop within {self._role.stop_seconds:.0f} s and is killed.")
        self._running.send(signal.SIGKILL)
        if not await self._ends_within(_KILL_SECONDS):
            self._narrator.warn(f"{self.name} (process {self._running.pid}) cannot be killed; it is left behind.")

    async def kill(self) -> None:
        """End it at once."""
        if self._running is not None:
            self._running.send(signal.SIGKILL)
            await self._running.exit()

    async def _ends_within(self, seconds: float) -> bool:
        if self._running is not None:
            try:
                await asyncio.wait_for(self._running.exit(), seconds)
            except TimeoutError:
                return False
        return True

    async def _launch(self, backoff: Backoff, attempts: int | None) -> Backoff:
        self._running = None
        while True:
            try:
                self._running = await self._role.launch()
            except StartError as error:
                backoff = backoff.after_death(0)
                if attempts is not None and backoff.failures >= attempts:
                    raise
                self._say(error.what, backoff)
                await asyncio.sleep(backoff.delay)
            else:
                return backoff

    def _say(self, what: str, backoff: Backoff) -> None:
        sentence = what if what.startswith(self.name) else f"{self.name} {what}."
        self._narrator.warn(f"{sentence} Starting it again in {backoff.delay:.1f} s. Log: {self._role.log}")
