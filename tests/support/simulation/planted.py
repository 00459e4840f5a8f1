"""Bugs, planted where services meet their ports and deciders: the simulation has to find each of them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from unittest.mock import patch

from support.simulation.history import History
from support.simulation.invariants import ALWAYS, LATEST, LIFECYCLE, RESUMED, SHARED
from support.simulation.log import LogOf
from support.simulation.services import Wiring
from support.simulation.strategies import Chance, chosen, sharing
from windlass_builder.application.projections import ROUTES
from windlass_builder.application.retiring import Retiring
from windlass_builder.domain import surplus
from windlass_builder.domain.routes import Routes
from windlass_contracts.cloudevent import Proposed, Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import AliasesChanged, DeploymentCanceled, RoutesApplied
from windlass_eventlog.errors import ConflictError
from windlass_eventlog.log import Expected
from windlass_eventlog.reactor import Reactor
from windlass_gateway.application import canceling
from windlass_gateway.domain.deployment import Deployment
from windlass_gateway.domain.refusals import TooLateToCancelError
from windlass_router.domain import cutover

_HISTORIES = 1_000
"""So many are tried until a bug has to be found."""


@dataclass(frozen=True, slots=True)
class Bug:
    """What is wrong while `planted` lasts, in worlds that are wired by `wiring`, and the invariant that it breaks.

    It is hunted from the history of the number `hunted_from` on: near one that finds it, so that tests are fast.
    """

    name: str
    breaks: str
    wiring: Wiring = field(default_factory=Wiring)
    planted: Callable[[], AbstractContextManager[object]] = nullcontext
    hunted_from: int = 5_000
    kind: Callable[[Chance], History] = chosen
    """Of which histories it is hunted in."""

    @property
    def hunted_in(self) -> range:
        return range(self.hunted_from, self.hunted_from + _HISTORIES)


class UnfencedLog(LogOf):
    """Appends whatever the aggregate has come to meanwhile."""

    async def append(self, proposed: Proposed[Event], expected: Expected) -> int:
        while True:
            try:
                return await LogOf.append(self, proposed, expected)
            except ConflictError as conflict:
                expected = Expected(expected.scope, conflict.actual or 0)


def _cancel_after_cutover(row: Deployment) -> DeploymentCanceled:
    if row.phase.ended:
        raise TooLateToCancelError(row.phase)
    return DeploymentCanceled()


def _drained_by_decision(reactors: Sequence[Reactor]) -> Sequence[Reactor]:
    return [
        replace(one, wakes_on=one.wakes_on | {AliasesChanged}) if RoutesApplied in one.wakes_on else one
        for one in reactors
    ]


async def _nothing_is_taken_back(_retiring: Retiring, _routes: Routes) -> bool:
    return False


@contextmanager
def _idle_by_decision() -> Iterator[None]:
    honest = ROUTES.evolve

    def evolve(row: Routes | None, recorded: Recorded[Event]) -> Routes | None:
        routes = honest(row, recorded)
        if routes is None or not isinstance(recorded.event, AliasesChanged):
            return routes
        leaving = {
            one: left.model_copy(update={"idle_since": left.idle_since or recorded.metadata.time})
            for one, left in routes.leaving.items()
        }
        return routes.model_copy(update={"leaving": leaving})

    object.__setattr__(ROUTES, "evolve", evolve)
    try:
        with patch.object(Retiring, "_may_be_taken_back", _nothing_is_taken_back):
            yield
    finally:
        object.__setattr__(ROUTES, "evolve", honest)


BUGS = (
    Bug("no fence", LIFECYCLE, Wiring(log=lambda log: UnfencedLog(log.log, log.process)), hunted_from=5_190),
    Bug("acknowledged before appended", RESUMED, Wiring(acknowledges_first=True), hunted_from=5_180),
    Bug(
        "alias by finish time",
        LATEST,
        planted=lambda: patch.object(cutover, "_later_holders", lambda *_: {}),
        hunted_from=6_050,
    ),
    Bug(
        "cancel after cutover",
        LIFECYCLE,
        planted=lambda: patch.object(canceling, "decide_cancel", _cancel_after_cutover),
    ),
    Bug(
        "surplus gone unconfirmed",
        ALWAYS,
        planted=lambda: patch.object(surplus, "_left_out", lambda *_: datetime.min.replace(tzinfo=UTC)),
        hunted_from=5_000,
    ),
    Bug(
        "nobody is overtaken",
        SHARED,
        planted=lambda: patch.object(cutover, "overtaken", lambda *_: None),
        hunted_from=0,
        kind=sharing,
    ),
    Bug("drained on the decision", ALWAYS, Wiring(reactors=_drained_by_decision), _idle_by_decision, hunted_from=5_190),
)
