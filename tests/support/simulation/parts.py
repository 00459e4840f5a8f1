"""Which part of an environment's requests goes to whom, by the log: folded from what each event says, and no rule."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import AliasesChanged, RolloutStopped, WeightChanged, WeightRequested

COMPENSATION = "compensation"


@dataclass(frozen=True, slots=True)
class Part:
    """A percentage of an environment's requests; `asked` is the sequence of the request for it, 0 by its steps.

    `began` is the sequence since which the deployment has some part without a break.
    """

    deployment: UUID
    percent: int
    asked: int
    began: int


@dataclass(slots=True)
class Parts:
    """Who has a part of which environment now, and what it was before the last decision about that environment."""

    now: dict[UUID, Part] = field(default_factory=dict)
    before: dict[UUID, Part | None] = field(default_factory=dict)
    changed: dict[UUID, int] = field(default_factory=dict)
    ended: dict[tuple[UUID, UUID], str] = field(default_factory=dict)
    """Why a deployment has no part of an environment any more."""
    asked: dict[UUID, tuple[int, WeightRequested]] = field(default_factory=dict)
    stopped: dict[UUID, int] = field(default_factory=dict)
    """At which sequence somebody stopped an environment's last rollout."""

    @property
    def deployments(self) -> set[UUID]:
        return {part.deployment for part in self.now.values()}

    def fold(self, recorded: Recorded[Event]) -> None:
        match recorded.event:
            case WeightRequested() as wish:
                self.asked[recorded.metadata.id] = recorded.sequence, wish
            case RolloutStopped(environment=environment):
                self.stopped[environment] = recorded.sequence
            case WeightChanged() as change:
                self._weighted(change, recorded.sequence)
            case AliasesChanged() as change:
                self._moved(change, recorded.sequence)
            case _:
                pass

    def _weighted(self, change: WeightChanged, sequence: int) -> None:
        environment, known = change.environment, self.now.get(change.environment)
        earlier = self.before.get(environment) if change.why == COMPENSATION else known
        began = earlier.began if earlier is not None and earlier.deployment == change.deployment else sequence
        asked = 0 if change.request is None else self.asked[change.request][0] if change.request in self.asked else 0
        if change.why == COMPENSATION:
            asked = 0 if earlier is None else earlier.asked
        part = Part(change.deployment, change.weight, asked, began) if change.weight else None
        if part is None:
            self.ended[environment, change.deployment] = change.why
        self._put(environment, part, sequence)

    def _moved(self, change: AliasesChanged, sequence: int) -> None:
        for environment, left, after in own_moves(change):
            part, before = self.now.get(environment), self.before.get(environment)
            if change.why == COMPENSATION and part is None and before is not None and before.deployment == left:
                self._put(environment, before, sequence)
            elif part is not None and part.deployment == after:
                self._put(environment, None, sequence)
            else:
                self.before[environment] = part

    def _put(self, environment: UUID, part: Part | None, sequence: int) -> None:
        self.before[environment] = self.now.pop(environment, None)
        self.changed[environment] = sequence
        if part is not None:
            self.now[environment] = part


def own_moves(change: AliasesChanged) -> Iterator[tuple[UUID, UUID | None, UUID | None]]:
    """Yield which environments' own addresses move, from and to which deployment."""
    for move in change.moves:
        if move.alias.kind == "environment" and move.alias.environment is not None:
            yield move.alias.environment, move.before, move.after
