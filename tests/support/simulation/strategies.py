"""How histories are made: by hypothesis, which shrinks those that fail, or much faster by a seed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from support.simulation.history import (
    Act,
    App,
    Blackout,
    Cancel,
    Deploy,
    History,
    Hold,
    Incident,
    Kill,
    Outage,
    Promote,
    Push,
    Redeploy,
    Release,
    Restart,
    RollBack,
    Scale,
    SetVariable,
    StopRollout,
    UnsetVariable,
    Weigh,
)
from windlass_contracts.event import published_events
from windlass_contracts.subjects import Aggregate, Service

ALWAYS_THE_SAME = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""Histories take their time, and a run of the tests is told by its code alone."""

T = TypeVar("T")
_MOMENTS = sorted(
    kind.TYPE for kind in published_events().values() if kind.AGGREGATE in {Aggregate.DEPLOYMENT, Aggregate.ROUTES}
)
_APPS = (App.GOOD, App.GOOD, App.GOOD, App.GOOD, *App)
_PROJECT = (0, 0, 0, 1)
_ENVIRONMENT = (0, 0, 1)
_WHICH = (0, 0, 0, 1, 2)
_A_WHILE = (0.0, 0.5, 3.0, 8.0, 45.0, 120.0)
_FAULTS = (0, 4, 10, 25, 60)
_MOST_ACTS = 7
_SCHEDULE = (150, 500)

Options = Mapping[str, Sequence[object]]
_WHENEVER: Options = {
    "after": (0.0, 0.0, 0.0, 0.05, 0.3, 2.0, 7.0, 40.0),
    "upon": (None, None, None, *_MOMENTS),
}
_DEPLOY: Options = {
    "project": _PROJECT,
    "environment": _ENVIRONMENT,
    "branch": (None, None, None, 0, 1),
    "app": _APPS,
    "replicas": (1, 1, 1, 2),
    "again": (False, False, False, True),
    "secret": (False, False, True),
    "before": ("nothing", "nothing", "migrate", "fail"),
}
_PUSH: Options = {"project": _PROJECT, "branch": (0, 1), "app": _APPS, "again": (False, True)}
_ROLLBACK: Options = {"project": _PROJECT, "environment": _ENVIRONMENT, "which": (None, None, 0, 1, 2)}
_VARIABLE: Options = {"project": _PROJECT, "name": (0, 1)}
_KINDS: Sequence[tuple[type[Act], Options]] = (
    (Deploy, _DEPLOY),
    (Deploy, _DEPLOY),
    (Deploy, _DEPLOY),
    (Push, _PUSH),
    (Cancel, {"which": _WHICH}),
    (Cancel, {"after": (0.0,), "upon": ("cutover.started.v1",)}),
    (RollBack, _ROLLBACK),
    (Redeploy, {"which": _WHICH}),
    (SetVariable, _VARIABLE),
    (UnsetVariable, _VARIABLE),
    (Kill, {"service": tuple(Service), "away": _A_WHILE}),
    (Hold, {"service": tuple(Service), "seconds": _A_WHILE}),
    (Outage, {"seconds": _A_WHILE}),
    (Incident, {"what": ("ends", "removed", "sick", "well"), "which": _WHICH}),
)

_AROUND_HOLDS: Sequence[tuple[type[Act], Options]] = (
    (RollBack, _ROLLBACK),
    (Push, _PUSH),
    (Push, _PUSH),
    (Promote, {"environment": _ENVIRONMENT, "which": _WHICH}),
    (Release, {"project": _PROJECT, "environment": _ENVIRONMENT}),
)
_SOON_AFTER: Sequence[tuple[type[Act], Options]] = (
    (Deploy, {**_DEPLOY, "app": (App.GOOD,)}),
    (Incident, {"upon": ("deployment.live.v1",), "what": ("sick", "errs", "ends"), "which": (0, 0, 1)}),
    (Incident, {"what": ("ends", "sick", "errs", "well"), "which": _WHICH}),
    (Kill, {"service": (Service.MONITOR, Service.MONITOR, Service.ROUTER, Service.BUILDER), "away": _A_WHILE}),
    (RollBack, _ROLLBACK),
)
_MORE = (0, 0, 0, 1, 2, 3)
_PLACE: Options = {"project": _PROJECT, "environment": _ENVIRONMENT}
_AROUND_REPLICAS: Sequence[tuple[type[Act], Options]] = (
    (Scale, {**_PLACE, "replicas": (1, 1, 2, 3)}),
    (Scale, {**_PLACE, "replicas": (1, 1, 2, 3)}),
    (Restart, {**_PLACE, "which": (None, None, None, 0, 1)}),
    (Restart, {**_PLACE, "which": (None, None, None, 0, 1)}),
    (RollBack, _ROLLBACK),
    (Incident, {"what": ("ends", "removed", "sick", "well"), "which": _WHICH}),
)

_SHARED: Options = {"project": (0,), "environment": (0, 0, 0, 1)}
_STEPS = ("20:4", "20:4,60:15", "1:1,50:30", "10:40")
_DECIDED = ("weight.changed.v1", "weight.changed.v1", "routes.applied.v1", "aliases.changed.v1")
_AMID: Options = {"after": (0.0, 0.0, 0.01, 1.0, 4.0, 20.0), "upon": (None, None, *_DECIDED)}
_WELL: Options = {**_DEPLOY, **_SHARED, "app": (App.GOOD,), "again": (False,), "before": ("nothing",)}
_WITH_STEPS: Options = {**_WELL, "app": (*(App.GOOD,) * 12, *App), "rollout": ("", *_STEPS, "none")}
_PERCENT = (1, 10, 50, 99, 100, 100)
_AROUND_WEIGHTS: Sequence[tuple[type[Act], Options]] = (
    (Deploy, _WITH_STEPS),
    (Deploy, {**_WITH_STEPS, **_AMID}),
    (Push, {**_PUSH, **_AMID, "project": (0,), "app": (App.GOOD,)}),
    (Weigh, {**_SHARED, "which": _WHICH, "percent": _PERCENT}),
    (Weigh, {**_AMID, "which": _WHICH, "percent": _PERCENT}),
    (Weigh, {**_AMID, "which": _WHICH, "percent": _PERCENT}),
    (StopRollout, {**_AMID, **_SHARED}),
    (RollBack, {**_AMID, **_SHARED, "which": (None, None, 0, 1, 2)}),
    (Promote, {**_SHARED, "which": _WHICH}),
    (Release, _SHARED),
    (Cancel, {**_AMID, "which": _WHICH}),
    (Scale, {**_AMID, **_SHARED, "replicas": (1, 2)}),
    (Restart, {**_AMID, **_SHARED, "which": (None, 0, 1)}),
    (Kill, {**_AMID, "service": (*Service, Service.ROUTER, Service.ROUTER), "away": _A_WHILE}),
    (Hold, {**_AMID, "service": tuple(Service), "seconds": _A_WHILE}),
    (Outage, {**_AMID, "seconds": _A_WHILE}),
    (Incident, {**_AMID, "what": ("ends", "removed", "sick", "well", "errs"), "which": _WHICH}),
)
_UPON_LIVE: Options = {"upon": ("deployment.live.v1",)}
_FIRST: Sequence[tuple[type[Act], Options]] = (
    (Deploy, {**_WELL, "environment": (0,)}),
    (Deploy, {**_WELL, **_UPON_LIVE, "environment": (0, 1, 1)}),
    (Deploy, {**_WELL, **_UPON_LIVE, "environment": (0,), "rollout": _STEPS}),
)
_MOST_AROUND_WEIGHTS = 8
_ON_THE_WAY = ("container.started.v1", "health.passed.v1", "routes.applied.v1", "deployment.live.v1")
_AROUND_POWER: Sequence[tuple[type[Act], Options]] = (
    (Deploy, {**_DEPLOY, "app": (App.GOOD, App.GOOD, App.LATE)}),
    (Blackout, {"upon": ("cutover.started.v1",), "machine": (False, True), "away": _A_WHILE}),
    (Blackout, {"upon": ("aliases.changed.v1",), "machine": (False, True), "away": _A_WHILE}),
    (Blackout, {"upon": _ON_THE_WAY, "machine": (False, True), "away": _A_WHILE}),
    (Kill, {"service": (Service.MONITOR, Service.ROUTER, Service.BUILDER), "away": _A_WHILE}),
    (RollBack, _ROLLBACK),
)


class Chance(Protocol):
    """Whoever chooses."""

    def one_of(self, things: Sequence[T]) -> T: ...

    def bytes_between(self, least: int, most: int) -> bytes: ...


def chosen(chance: Chance) -> History:
    """Return a history that begins with a deployment, and often ends with what is around holds, failures and replicas.

    The end is chosen last, so that what comes before it stays the same history of its number.
    """
    kinds = [chance.one_of(_KINDS) for _ in range(chance.one_of(range(1, _MOST_ACTS + 1)))]
    acts = [_act(chance, kind, options) for kind, options in ((Deploy, _DEPLOY), *kinds)]
    faults, schedule = chance.one_of(_FAULTS), chance.bytes_between(*_SCHEDULE).hex()
    more = [chance.one_of(_AROUND_HOLDS) for _ in range(chance.one_of(_MORE))]
    acts += [_act(chance, kind, options) for kind, options in more]
    soon = [chance.one_of(_SOON_AFTER) for _ in range(chance.one_of(_MORE))]
    acts += [_act(chance, kind, options) for kind, options in soon]
    replicas = [chance.one_of(_AROUND_REPLICAS) for _ in range(chance.one_of(_MORE))]
    acts += [_act(chance, kind, options) for kind, options in replicas]
    return History(acts=tuple(acts), faults=faults, schedule=schedule)


def dark(chance: Chance) -> History:
    """Return a history in which the engine or the machine dies while deployments are on their way."""
    kinds = [chance.one_of(_AROUND_POWER) for _ in range(chance.one_of(range(1, _MOST_ACTS + 1)))]
    acts = [_act(chance, kind, options) for kind, options in ((Deploy, _WELL), *kinds)]
    return History(acts=tuple(acts), faults=chance.one_of(_FAULTS), schedule=chance.bytes_between(*_SCHEDULE).hex())


def sharing(chance: Chance) -> History:
    """Return a history in which versions share an environment's requests: by steps, by hand, and with whatever amid."""
    kinds = [chance.one_of(_AROUND_WEIGHTS) for _ in range(chance.one_of(range(1, _MOST_AROUND_WEIGHTS + 1)))]
    acts = [_act(chance, kind, options) for kind, options in (*_FIRST, *kinds)]
    return History(acts=tuple(acts), faults=chance.one_of(_FAULTS), schedule=chance.bytes_between(*_SCHEDULE).hex())


def _act(chance: Chance, kind: type[Act], options: Options) -> Act:
    return kind.model_validate({name: chance.one_of(values) for name, values in {**_WHENEVER, **options}.items()})


@dataclass(frozen=True, slots=True)
class Dice:
    """Chooses by a seed: fast, and the same each time."""

    random: Random

    def one_of(self, things: Sequence[T]) -> T:
        return self.random.choice(things)

    def bytes_between(self, least: int, most: int) -> bytes:
        return self.random.randbytes(self.random.randint(least, most))


@dataclass(frozen=True, slots=True)
class Drawn:
    """Lets hypothesis choose, which shrinks what fails."""

    draw: st.DrawFn

    def one_of(self, things: Sequence[T]) -> T:
        return self.draw(st.sampled_from(things))

    def bytes_between(self, least: int, most: int) -> bytes:
        return self.draw(st.binary(min_size=least, max_size=most))


def by_seed(number: int, kind: Callable[[Chance], History] = chosen) -> History:
    """Return the history of that number."""
    return kind(Dice(Random(number)))  # noqa: S311 - nothing is kept secret by it


@st.composite
def histories(draw: st.DrawFn, kind: Callable[[Chance], History] = chosen) -> History:
    """Return histories for hypothesis."""
    return kind(Drawn(draw))
