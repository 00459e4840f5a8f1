"""A project whose events a test tells a real log, as gateway, builder and monitor would."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from support import router_events as say
from windlass_contracts.cloudevent import Metadata, Proposed, Recorded
from windlass_contracts.event import Event
from windlass_contracts.ids import DeploymentId, EventId
from windlass_contracts.subjects import ALL_EVENTS, AggregateKey
from windlass_eventlog.clock import utc_now
from windlass_eventlog.errors import ConflictError
from windlass_eventlog.log import EventLog, Expected


@dataclass
class ToldProject:
    """The project `shop` of `router_events`."""

    log: EventLog
    _last: dict[UUID, int] = field(default_factory=dict)
    _deployments: int = 0

    async def tell(self, about: UUID, *events: Event) -> int:
        """Append what another service says, and return the sequence of the last event."""
        for event in events:
            self._last[about] = await self._append(about, event)
        return self._last[about]

    async def _append(self, about: UUID, event: Event) -> int:
        key = AggregateKey(say.TEAM, say.PROJECT, event.AGGREGATE, about)
        (service, *_) = sorted(event.APPENDED_BY)
        identity = EventId(uuid4())
        proposed = Proposed(service, key, event, Metadata(identity, utc_now(), "token:test", identity))
        while True:
            try:
                return await self.log.append(proposed, Expected.at(key, self._last.get(about, 0)))
            except ConflictError as conflict:
                self._last[about] = conflict.actual or 0

    async def founded(self) -> None:
        for event in say.founding():
            await self.tell(say.PROJECT, event)

    async def healthy(self, at: tuple[str, int]) -> tuple[DeploymentId, int]:
        """Take a new deployment, which answers at an address, as far as the router's turn; return it and where."""
        self._deployments += 1
        deployment = say.deployment_number(self._deployments)
        story = [say.requested(), *say.built(), say.started(deployment, at=at), say.healthy(deployment)]
        return deployment, await self.tell(deployment, *story)

    async def until(self, about: UUID, kind: type[Event], after: int = 0) -> Recorded[Event]:
        """Wait for an event of a kind about a deployment or the project."""
        async with self._following(after) as events:
            async for recorded in events:
                if recorded.key.id == about and isinstance(recorded.event, kind):
                    return recorded
        raise AssertionError(f"the log ended without {kind.TYPE}")

    @asynccontextmanager
    async def _following(self, after: int) -> AsyncIterator[AsyncIterator[Recorded[Event]]]:
        async with aclosing(self.log.read(after, ALL_EVENTS)) as events:
            yield events
