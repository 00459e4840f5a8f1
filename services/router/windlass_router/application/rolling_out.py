"""Going on with a gradual rollout, when the time of a step is over."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from windlass_contracts.events import AliasesChanged
from windlass_eventlog.clock import Clock
from windlass_eventlog.errors import TryAgain
from windlass_eventlog.reactor import WakeUp
from windlass_router.application.ground import read_ground
from windlass_router.application.switching import Switching
from windlass_router.domain.rollouts import due_at
from windlass_router.domain.routes import COMPENSATION


@dataclass(frozen=True, slots=True)
class RollingOut:
    """Waits with the wake-up of the step alone, so that nothing else about the project waits for so long.

    The log keeps the wake-up meanwhile: no restart loses it.
    """

    switching: Switching
    clock: Clock

    async def handle(self, wake: WakeUp) -> None:
        """Let the router do what is due in the project, now and once the next step is.

        Raises:
            TryAgain: the next step is not due yet.
        """
        event = wake.recorded.event
        if isinstance(event, AliasesChanged) and event.why != COMPENSATION:
            return  # after one that was taken back, a weight may be as it was before
        await self.switching.handle(wake)
        ground = await read_ground(self.switching.rows, wake.recorded.team, wake.recorded.project)
        for weight in ground.routes.row.weights.now.values():
            if weight.sequence == wake.recorded.sequence:
                self._await(due_at(weight, ground.deployments[weight.deployment].row))

    def _await(self, due: datetime | None) -> None:
        if due is not None and (left := due - self.clock()) > timedelta(0):
            raise TryAgain(left, "the next step of a rollout is not due yet")
