"""Command lines are deleted for good once their commands ended: people type passwords into them."""

from dataclasses import dataclass, field

from windlass_contracts.events import RunEnded
from windlass_eventlog.reactor import Reactor, WakeUp
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.application.projections import RUNS


@dataclass(slots=True)
class ForgettingCommands:
    """Shreds the line of a command that ended, whoever ended it; doing it twice does no harm."""

    gateway: Gateway
    reactor: Reactor = field(init=False)

    def __post_init__(self) -> None:
        self.reactor = Reactor(name="forget-commands", wakes_on=frozenset({RunEnded}), handle=self.handle)

    async def handle(self, wake: WakeUp) -> None:
        found = await self.gateway.rows.get(RUNS, wake.recorded.key.id)
        if found is not None and found.row.end is not None:
            await self.gateway.vault.shred(found.row.command)
