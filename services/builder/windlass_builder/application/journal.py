"""Writing down what happens to one deployment, one event after the other, each as the lifecycle allows it."""

from dataclasses import dataclass

from windlass_builder.domain.deployment import Deployment
from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.ids import DeploymentId, EventId, derived
from windlass_contracts.lifecycle import Phase, transition
from windlass_contracts.subjects import AggregateKey
from windlass_eventlog.appender import Appender
from windlass_eventlog.log import Expected
from windlass_eventlog.projection import Versioned

ACTOR = "service:builder"


@dataclass(frozen=True, slots=True)
class Observed:
    """The builder acts because of something outside the log; the words say of what, the same each time it is seen."""

    words: tuple[str, ...]


@dataclass(slots=True)
class Journal:
    """One deployment's next events, all because of one cause.

    The cause, an event's type, `step` and the sequence it is decided at make the event's id: the same step taken again
    after a crash is the same event, and what happens again later (another start, another pause) is another one.
    """

    append: Appender
    key: AggregateKey
    cause: Recorded[Event] | Observed
    phase: Phase
    sequence: int

    @classmethod
    def of(cls, append: Appender, found: Versioned[Deployment], cause: Recorded[Event] | Observed) -> "Journal":
        row = found.row
        key = AggregateKey.of_deployment(row.team, row.project, DeploymentId(found.key))
        return cls(append, key, cause, row.phase, found.sequence)

    def follow(self, found: Versioned[Deployment]) -> None:
        """Go on behind what others wrote meanwhile."""
        self.phase, self.sequence = found.row.phase, found.sequence

    async def add(self, event: Event, step: str = "") -> int:
        """Append the event behind all that was known, and return its sequence.

        Raises:
            ConflictError: something else happened to the deployment meanwhile.
            ForbiddenTransitionError: the lifecycle does not allow it.
        """
        phase = transition(self.phase, type(event))
        step = f"{step}@{self.sequence}"
        if isinstance(self.cause, Observed):
            identity = EventId(derived("observed", *self.cause.words, event.TYPE, step))
            expected = Expected.at(self.key, self.sequence)
            self.sequence = await self.append.commanded(self.key, event, expected, actor=ACTOR, id=identity)
        else:
            self.sequence = await self.append.caused(self.cause, self.key, event, self.sequence, step)
        self.phase = phase
        return self.sequence
