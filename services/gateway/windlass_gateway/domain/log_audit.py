"""The whole log looked at event by event: whether what happened may have happened, in that order.

It folds nothing that the platform decides from: it knows only what must be true of every history.
"""

from array import array
from dataclasses import dataclass, field
from itertools import pairwise
from uuid import UUID

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.errors import ForbiddenTransitionError
from windlass_contracts.event import Event
from windlass_contracts.events import (
    AliasesChanged,
    CutoverStarted,
    Healthy,
    RoutesApplied,
)
from windlass_contracts.ids import DeploymentId
from windlass_contracts.lifecycle import Phase, transition
from windlass_contracts.subjects import DOMAIN_REGISTRY, PROJECT_REGISTRY, Aggregate, AggregateKey

_ENDS, _ROUTES, _LATEST, _READABLE = 1, 2, 4, 5
_OWN_ADDRESS = "deployment"
_ASKED_FOR = frozenset({"rollback", "promotion", "compensation", "domain", "restore", "rollout"})
"""Why an address may go back to an older request; a cutover never may. A domain goes where its environment is."""

_REGISTRIES = {PROJECT_REGISTRY: Aggregate.PROJECT, DOMAIN_REGISTRY: Aggregate.DOMAINS}
"""The scopes of what is decided over all teams, and what they are about."""

_ID_BITS = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Flaw:
    """What must not be: which of the nine things that always hold it breaks, and where."""

    invariant: int
    code: str
    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Condition:
    """What an append expected of the log: the last event in the scope stands at `sequence`."""

    scope: str
    sequence: int


@dataclass(slots=True)
class _History:
    """A deployment so far; `proven` are the containers that were seen healthy."""

    requested: int
    phase: Phase
    proven: set[str] = field(default_factory=set)


@dataclass(slots=True)
class LogAudit:
    """Takes every event once, in order; `flaws` is what was wrong with them."""

    flaws: list[Flaw] = field(default_factory=list)
    position: int = 0
    events: int = 0
    changes: int = 0
    conditions: int = 0
    _deployments: dict[UUID, _History] = field(default_factory=dict)
    _aliases: dict[UUID, dict[str, DeploymentId | None]] = field(default_factory=dict)
    _own_addresses: set[str] = field(default_factory=set)
    _first_change: dict[UUID, int] = field(default_factory=dict)
    _last: dict[AggregateKey, int] = field(default_factory=dict)
    _last_of_all: dict[Aggregate, int] = field(default_factory=dict)
    _ids: "array[int]" = field(default_factory=lambda: array("Q"))

    @property
    def deployments(self) -> int:
        return len(self._deployments)

    def take(self, recorded: Recorded[Event], condition: Condition | None) -> None:
        """Look at the next event, and at what it expected when it was appended."""
        self.position = recorded.sequence
        self.events += 1
        self._ids.append(recorded.metadata.id.int & _ID_BITS)
        if condition is not None:
            self._check_condition(recorded, condition)
        if recorded.key.aggregate is Aggregate.DEPLOYMENT:
            self._take_deployment(recorded)
        elif isinstance(recorded.event, AliasesChanged):
            self._take_change(recorded, recorded.event)
        elif isinstance(recorded.event, RoutesApplied):
            self._take_applied(recorded, recorded.event)
        self._note(recorded)

    def end(self) -> None:
        """Look at what only the whole log shows."""
        ids = sorted(self._ids)
        doubled = sum(one == other for one, other in pairwise(ids))
        if doubled:
            self._say(_ENDS, "doubled", "the log", f"{doubled} events are there twice, under one id.")

    def unreadable(self, sequence: int, why: str | None) -> None:
        """Take an event that cannot be read; without `why` it may be passed over."""
        self.position = sequence
        if why is not None:
            self._say(_READABLE, "unreadable", f"sequence {sequence}", why)

    def _check_condition(self, recorded: Recorded[Event], condition: Condition) -> None:
        self.conditions += 1
        if condition.scope in _REGISTRIES:
            last = self._last_of_all.get(_REGISTRIES[condition.scope], 0)
        elif condition.scope == recorded.key.pattern:
            last = self._last.get(recorded.key, 0)
        else:
            return
        if last != condition.sequence:
            what = (
                f"The event was appended on the condition that {condition.scope} ends at {condition.sequence},"
                f" but the last event there stands at {last}."
            )
            self._say(_LATEST, "unfenced", f"sequence {recorded.sequence}", what)

    def _note(self, recorded: Recorded[Event]) -> None:
        self._last[recorded.key] = recorded.sequence
        self._last_of_all[recorded.key.aggregate] = recorded.sequence

    def _take_deployment(self, recorded: Recorded[Event]) -> None:
        history = self._deployments.get(recorded.key.id)
        try:
            phase = transition(None if history is None else history.phase, type(recorded.event))
        except ForbiddenTransitionError as error:
            where = f"deployment {recorded.key.id}"
            self._say(_ENDS, "illegal-history", where, f"{error} It did, at sequence {recorded.sequence}.")
            return
        if history is None:
            self._deployments[recorded.key.id] = _History(recorded.sequence, phase)
            return
        history.phase = phase
        if isinstance(recorded.event, Healthy):
            history.proven.add(recorded.event.container)
        elif isinstance(recorded.event, CutoverStarted) and (unproven := {*recorded.event.containers} - history.proven):
            names = ", ".join(sorted(unproven))
            what = f"Its cutover began at sequence {recorded.sequence}, but nobody had seen these healthy: {names}."
            self._say(_ROUTES, "unhealthy-cutover", f"deployment {recorded.key.id}", what)

    def _take_change(self, recorded: Recorded[Event], change: AliasesChanged) -> None:
        self.changes += 1
        aliases = self._aliases.setdefault(recorded.project, {})
        self._first_change.setdefault(recorded.project, recorded.sequence)
        for move in change.moves:
            name = move.alias.name
            if aliases.get(name) != move.before:
                what = f"At sequence {recorded.sequence} it left {move.before}, but pointed at {aliases.get(name)}."
                self._say(_LATEST, "alias-history", f"alias {name}", what)
            if move.after is not None:
                self._check_target(recorded, name, move.after)
            if change.why not in _ASKED_FOR:
                self._check_order(recorded, name, move.before, move.after)
            aliases[name] = move.after
            if move.alias.kind == _OWN_ADDRESS:
                self._own_addresses.add(name)
        self._leave_own_addresses(aliases)

    def _leave_own_addresses(self, aliases: dict[str, DeploymentId | None]) -> None:
        """A deployment's own address goes, without an event of its own, when no other points at it any more."""
        pointed_at = {target for name, target in aliases.items() if name not in self._own_addresses}
        for name in self._own_addresses.intersection(aliases):
            if aliases[name] not in pointed_at:
                del aliases[name]

    def _check_target(self, recorded: Recorded[Event], alias: str, target: DeploymentId) -> None:
        history = self._deployments.get(target)
        if history is None or not history.proven:
            what = f"At sequence {recorded.sequence} it was pointed at {target}, which nobody had seen healthy."
            self._say(_ROUTES, "unhealthy-alias", f"alias {alias}", what)

    def _check_order(
        self, recorded: Recorded[Event], alias: str, before: DeploymentId | None, after: DeploymentId | None
    ) -> None:
        if before is None or after is None:
            return
        older, newer = self._deployments.get(after), self._deployments.get(before)
        if older is not None and newer is not None and older.requested < newer.requested:
            what = (
                f"At sequence {recorded.sequence} it moved from {before} back to {after}, which was requested before"
                " it, without anybody asking for that."
            )
            self._say(_LATEST, "older-wins", f"alias {alias}", what)

    def _take_applied(self, recorded: Recorded[Event], applied: RoutesApplied) -> None:
        changed = self._first_change.get(recorded.project)
        if changed is None or not changed <= applied.generation < recorded.sequence:
            what = (
                f"Routes of project {recorded.project} were called applied as of sequence {applied.generation}, but"
                f" {'none of its addresses was decided' if changed is None else f'the first was decided at {changed}'}."
            )
            self._say(_ROUTES, "applied-early", f"sequence {recorded.sequence}", what)

    def _say(self, invariant: int, code: str, where: str, what: str) -> None:
        self.flaws.append(Flaw(invariant, code, where, what))
