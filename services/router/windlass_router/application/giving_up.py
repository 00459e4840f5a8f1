"""Giving up the address of a deleted branch, when its time has come."""

from dataclasses import dataclass
from datetime import timedelta

from windlass_contracts.events import BranchDeleted
from windlass_eventlog.clock import Clock
from windlass_eventlog.errors import TryAgain
from windlass_eventlog.reactor import WakeUp
from windlass_router.application.switching import Switching


@dataclass(frozen=True, slots=True)
class GivingUp:
    """Waits with the wake-up of the deletion alone, so that nothing else about the project waits for so long.

    The log keeps the wake-up meanwhile: no restart loses it.
    """

    switching: Switching
    clock: Clock

    async def handle(self, wake: WakeUp) -> None:
        """Let the router do what is due in the project, once the branch's address may go.

        Raises:
            TryAgain: it stays until a later moment.
        """
        event = wake.recorded.event
        if isinstance(event, BranchDeleted):
            left = wake.recorded.metadata.time + timedelta(seconds=event.grace_s) - self.clock()
            if left > timedelta(0):
                raise TryAgain(left, "the address of a deleted branch stays for a while")
        await self.switching.handle(wake)
