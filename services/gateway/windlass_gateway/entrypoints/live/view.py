"""What a page watches: which events touch it, and how it is rendered once for all who do."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Literal
from uuid import UUID

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.subjects import Aggregate

NODES: Final = "nodes"
UPTIMES: Final = "uptimes"
Topic = UUID | tuple[Aggregate, UUID] | Literal["nodes", "uptimes"]
"""A team, a project, one aggregate; or what is no event: what the nodes say of themselves, how environments answer."""


def topics(recorded: Recorded[Event]) -> tuple[Topic, ...]:
    """Return everything that an event is about."""
    key = recorded.key
    own: tuple[Topic, ...] = (key.team, (key.aggregate, key.id))
    return own if key.project is None else (*own, key.project)


def _all(_: Recorded[Event]) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class View:
    """Views of one name are one view. An event touches it that is about one of its topics, and wanted."""

    name: str
    topics: frozenset[Topic]
    wants: Callable[[Recorded[Event]], bool] = field(default=_all, kw_only=True)

    def touched_by(self, recorded: Recorded[Event]) -> bool:
        return not self.topics.isdisjoint(topics(recorded)) and self.wants(recorded)


@dataclass(frozen=True, slots=True)
class StateView(View):
    """Shows how things are now: many events make one message, and what was missed is shown by the next one."""

    render: Callable[[], Awaitable[str]] = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class EventsView(View):
    """Shows every event by itself, once and in order."""

    render: Callable[[Recorded[Event]], Awaitable[str]] = field(kw_only=True)
