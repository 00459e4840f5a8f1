"""Deleting one thing after the other, each said once, whoever dies meanwhile."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto

import structlog

from windlass_builder.application.intents import Intent
from windlass_builder.application.journal import ACTOR
from windlass_builder.application.node import Node
from windlass_builder.application.runtime_errors import RuntimePortError, VolumeInUseError
from windlass_builder.application.source import SourceError
from windlass_contracts.event import Event
from windlass_contracts.events import StorageReclaimed
from windlass_contracts.ids import EventId, ProjectId, derived
from windlass_contracts.subjects import AggregateKey
from windlass_eventlog.appender import Appender
from windlass_eventlog.failpoints import reach
from windlass_eventlog.log import Expected

_log = structlog.get_logger(__name__)

Delete = Callable[[], Awaitable[None]]


class _Outcome(Enum):
    GONE = auto()
    KEPT = auto()
    UNKNOWN = auto()
    """Something went wrong, and it may be gone or not."""


@dataclass(slots=True)
class Deletions:
    """What is deleted of one project, in the order in which its events follow one another: the next behind `after`."""

    append: Appender
    node: Node
    key: AggregateKey
    after: int

    async def release(self, event: StorageReclaimed, delete: Delete) -> bool:
        """Delete what the log has retired: whoever comes next finds there that it is owed."""
        if await _deleted(event, delete) is not _Outcome.GONE:
            return False
        await self.say(event, event.name)
        return True

    async def other(self, event: StorageReclaimed, delete: Delete) -> bool:
        """Delete what no event retires; False where something still uses it that the log does not know.

        The note stays where nobody knows: perhaps only the answer is missing. Whoever comes next looks.
        """
        identity, project = self._identity(event, event.name), ProjectId(self.key.id)
        intent = Intent(id=identity, team=self.key.team, project=project, event=event)
        if not self._noted(intent):
            return False
        reach("after_noted", event.kind)
        outcome = await _deleted(event, delete)
        if outcome is _Outcome.GONE:
            await self.say(event, event.name)
        if outcome is not _Outcome.UNKNOWN:
            self.node.intents.forget(intent)
        return outcome is _Outcome.GONE

    def _noted(self, intent: Intent) -> bool:
        """Note it; False on a disk that is too full even for that: releases, which need no note, make room there."""
        try:
            self.node.intents.note(intent)
        except OSError as error:
            _log.warning("collecting.not_noted", kind=intent.event.kind, name=intent.event.name, reason=str(error))
            return False
        return True

    async def finish(self, intent: Intent) -> None:
        """Say what an earlier life deleted, and died before it said so, or before it forgot that it had."""
        self.after = await self._append(intent.event, intent.id)
        self.node.intents.forget(intent)

    async def say(self, event: Event, what: str) -> None:
        self.after = await self._append(event, self._identity(event, what))

    def _identity(self, event: Event, what: str) -> EventId:
        return EventId(derived("collected", event.TYPE, str(self.key.id), what, str(self.after)))

    async def _append(self, event: Event, identity: EventId) -> int:
        """Append; the same again is the same event."""
        at = Expected.at(self.key, self.after)
        return max(self.after, await self.append.commanded(self.key, event, at, actor=ACTOR, id=identity))


async def _deleted(event: StorageReclaimed, delete: Delete) -> _Outcome:
    """Delete it; what something still uses that the log does not know keeps nothing else waiting."""
    try:
        await delete()
    except (RuntimePortError, SourceError, OSError) as error:
        _log.warning("collecting.not_deleted", kind=event.kind, name=event.name, reason=str(error))
        return _Outcome.KEPT if isinstance(error, VolumeInUseError) else _Outcome.UNKNOWN
    reach("after_deleted", event.kind)
    return _Outcome.GONE
