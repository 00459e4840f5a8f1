"""How hypothesis makes histories."""

from hypothesis import strategies as st

from support.simulation.history import (
    Act,
    App,
    Cancel,
    Deploy,
    History,
    Hold,
    Incident,
    Kill,
    Outage,
    Push,
    Redeploy,
    RollBack,
    SetVariable,
    UnsetVariable,
)
from windlass_contracts.event import published_events
from windlass_contracts.subjects import Aggregate, Service

_MOMENTS = sorted(
    kind.TYPE for kind in published_events().values() if kind.AGGREGATE in {Aggregate.DEPLOYMENT, Aggregate.ROUTES}
)
_AFTER = st.sampled_from([0.0, 0.0, 0.0, 0.05, 0.3, 2.0, 7.0, 40.0])
_UPON = st.sampled_from([None, None, None, *_MOMENTS])
_APPS = st.sampled_from([App.GOOD, App.GOOD, App.GOOD, App.GOOD, *App])
_PROJECT = st.sampled_from([0, 0, 0, 1])
_ENVIRONMENT = st.sampled_from([0, 0, 1])
_WHICH = st.sampled_from([0, 0, 0, 1, 2])
_SERVICE = st.sampled_from(list(Service))
_A_WHILE = st.sampled_from([0.0, 0.5, 3.0, 8.0, 45.0, 120.0])
_SECRET = st.sampled_from([False, False, True])

DEPLOYS = st.builds(
    Deploy,
    after=_AFTER,
    upon=_UPON,
    project=_PROJECT,
    environment=_ENVIRONMENT,
    app=_APPS,
    replicas=st.sampled_from([1, 1, 1, 2]),
    again=st.sampled_from([False, False, False, True]),
    secret=_SECRET,
)
_ACTS: st.SearchStrategy[Act] = st.one_of(
    DEPLOYS,
    DEPLOYS,
    DEPLOYS,
    st.builds(
        Push, after=_AFTER, upon=_UPON, project=_PROJECT, branch=st.integers(0, 1), app=_APPS, again=st.booleans()
    ),
    st.builds(Cancel, after=_AFTER, upon=_UPON, which=_WHICH),
    st.builds(Cancel, upon=st.just("cutover.started.v1")),
    st.builds(
        RollBack,
        after=_AFTER,
        upon=_UPON,
        project=_PROJECT,
        environment=_ENVIRONMENT,
        which=st.sampled_from([None, None, 0, 1, 2]),
    ),
    st.builds(Redeploy, after=_AFTER, upon=_UPON, which=_WHICH),
    st.builds(SetVariable, after=_AFTER, upon=_UPON, project=_PROJECT, name=st.integers(0, 1)),
    st.builds(UnsetVariable, after=_AFTER, upon=_UPON, project=_PROJECT, name=st.integers(0, 1)),
    st.builds(Kill, after=_AFTER, upon=_UPON, service=_SERVICE, away=_A_WHILE),
    st.builds(Hold, after=_AFTER, upon=_UPON, service=_SERVICE, seconds=_A_WHILE),
    st.builds(Outage, after=_AFTER, upon=_UPON, seconds=_A_WHILE),
    st.builds(
        Incident, after=_AFTER, upon=_UPON, what=st.sampled_from(["ends", "removed", "sick", "well"]), which=_WHICH
    ),
)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Return a history that begins with a deployment."""
    acts = (draw(DEPLOYS), *draw(st.lists(_ACTS, min_size=1, max_size=7)))
    faults = draw(st.sampled_from([0, 4, 10, 25, 60]))
    schedule = draw(st.binary(min_size=150, max_size=500))
    return History(acts=acts, faults=faults, schedule=schedule.hex())
