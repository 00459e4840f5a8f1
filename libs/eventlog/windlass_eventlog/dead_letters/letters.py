"""A service's own dead letters: which reactions it gave up, giving up another, and taking one back."""

from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import dataclass

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import ReactionAbandoned, ReactionRecovered
from windlass_contracts.ids import ReactionId, reaction_id
from windlass_contracts.subjects import AggregateKey, Service
from windlass_eventlog.appender import Appender
from windlass_eventlog.dead_letters.failure import Failure
from windlass_eventlog.dead_letters.letter import DEAD_LETTERS, Retrying
from windlass_eventlog.projection import Rows


@dataclass(frozen=True, slots=True)
class Job:
    """One reactor's reaction to one event, told of in one aggregate that ends at `after` (0: nothing was told yet).

    `cause` is why it is done: the event itself or, where an operator wants it done again, the wish.
    """

    reactor: str
    event: Recorded[Event]
    cause: Recorded[Event]
    letter: AggregateKey
    after: int = 0

    @property
    def again(self) -> bool:
        return self.cause is not self.event


@dataclass(frozen=True, slots=True)
class Letters:
    """Reads the rows of dead letters, and appends to them."""

    service: Service
    rows: Rows
    append: Appender

    def job(self, reactor: str, event: Recorded[Event]) -> Job:
        """Return the reaction of a reactor that was never given up."""
        return Job(reactor, event, event, AggregateKey.of_reaction(event.team, self._id(reactor, event)))

    async def given_up(self, event: Recorded[Event], reactors: Iterable[str]) -> set[str]:
        """Return those of the reactors whose reaction to an event was given up before, whatever became of that."""
        ids = {self._id(reactor, event): reactor for reactor in reactors}
        return {ids[ReactionId(key)] for key in await self.rows.get_all(DEAD_LETTERS, ids)}

    async def wanted(self, wish: Recorded[Event]) -> Job | None:
        """Return what an operator wants done again; None where it is another service's, or not wanted any more.

        Raises:
            LookupError: the log does not have the event any more that the reaction was about.
        """
        found = await self.rows.get(DEAD_LETTERS, wish.key.id)
        if found is None or found.row.service is not self.service or not isinstance(found.row.state, Retrying):
            return None
        async with aclosing(self.append.log.read(found.row.sequence - 1)) as events:
            event = await anext(events)
        if event.metadata.id != found.row.event:
            msg = f"At sequence {found.row.sequence} stands another event than {found.row.event}."
            raise LookupError(msg)
        return Job(found.row.reactor, event, wish, wish.key, found.sequence)

    async def abandon(self, job: Job, failure: Failure, attempts: int) -> None:
        """Say that a reaction is given up; saying it twice makes one event.

        Raises:
            ConflictError: somebody else said something about it meanwhile.
            LogUnavailableError, LogFullError, PermissionDeniedError: as `EventLog.append`; nothing may be dropped then.
        """
        event = ReactionAbandoned(
            reactor=job.reactor,
            sequence=job.event.sequence,
            event=job.event.metadata.id,
            type=job.event.event.TYPE,
            attempts=attempts,
            error=failure.error,
            place=failure.place,
        )
        await self.append.caused(job.cause, job.letter, event, job.after, str(job.letter.id))

    async def recover(self, job: Job) -> None:
        """Say that what had been given up succeeded.

        Raises:
            ConflictError, LogUnavailableError, LogFullError, PermissionDeniedError: as for `abandon`.
        """
        await self.append.caused(job.cause, job.letter, ReactionRecovered(), job.after, str(job.letter.id))

    def _id(self, reactor: str, event: Recorded[Event]) -> ReactionId:
        return reaction_id(self.service, reactor, event.metadata.id)
