"""Which releases stay: none goes that anybody may need at once, whatever a project went through."""

from collections.abc import Mapping
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support import router_events as say
from support.memory_runtime import NOON
from windlass_builder.domain import retention
from windlass_builder.domain import routes as routes_row
from windlass_builder.domain.deployment import Container, ContainerState, Deployment
from windlass_builder.domain.retention import Project, Releases, Rule, judge
from windlass_builder.domain.routes import Routes
from windlass_contracts.cloudevent import Metadata, Recorded
from windlass_contracts.config import DeploymentConfig
from windlass_contracts.event import Event
from windlass_contracts.events import AliasesChanged, ReleaseRetired, StorageReclaimed
from windlass_contracts.events.deployment import GitSource
from windlass_contracts.events.routes import Alias, AliasMove
from windlass_contracts.ids import DeploymentId, EventId
from windlass_contracts.lifecycle import Phase
from windlass_contracts.replicas import ReplicaSet
from windlass_contracts.subjects import Aggregate, AggregateKey, Service

KEEPS = 2


def deployment(
    number: int, phase: Phase = Phase.LIVE, release: str | None = "", container: ContainerState | None = None
) -> Deployment:
    """Return the deployment that was requested as that one of the project, of a release of its own."""
    containers = () if container is None else (say_container(number, container),)
    return Deployment(
        team=say.TEAM,
        project=say.PROJECT,
        environment=say.PRODUCTION,
        requested_at=NOON,
        requested_sequence=number * 10,
        phase=phase,
        source=GitSource(repository="https://git.example/shop", ref="main"),
        config=DeploymentConfig(keep_releases=KEEPS),
        variables=(),
        replica_set=ReplicaSet(wanted=1),
        release=f"shop:{number}" if release == "" else release,
        built_sequence=number * 10 + 1,
        containers=containers,
    )


def say_container(number: int, state: ContainerState) -> Container:
    return Container(name=f"run-{number}", node="one", replica=0, state=state, address="10.0.0.2", port=8000)


def project(*rows: Deployment, **known: object) -> Project:
    deployments = {UUID(int=row.requested_sequence // 10): row for row in rows}
    return Project(deployments=deployments, **known)  # type: ignore[arg-type]


def routes(*path: int, name: str = "shop") -> Routes:
    """Return the routes after an address pointed at these deployments, one after the other."""
    row: Routes | None = None
    for sequence, number in enumerate(path, start=1):
        alias = Alias(kind="environment", name=name, environment=say.PRODUCTION)
        move = AliasMove(alias=alias, after=DeploymentId(UUID(int=number)) if number else None)
        row = routes_row.evolve(row, recorded(AliasesChanged(why="cutover", moves=(move,)), sequence))
    assert row is not None
    return row


def recorded(event: Event, sequence: int) -> Recorded[Event]:
    key = AggregateKey(say.TEAM, say.PROJECT, Aggregate.ROUTES, say.PROJECT)
    identity = EventId(UUID(int=sequence))
    metadata = Metadata(identity, NOON, "service:router", identity)
    return Recorded(sequence, "0" * 8, Service.ROUTER, key, event, metadata)


def names(row: Project) -> list[str]:
    return [one.release for one in row.deployments.values() if one.release is not None]


def test_the_last_ones_stay_and_the_older_ones_go() -> None:
    of = project(*(deployment(number) for number in range(1, 6)))
    verdict = judge(of, names(of))
    assert verdict.stay == {"shop:4": Rule.NEWEST, "shop:5": Rule.NEWEST}
    assert verdict.go == dict.fromkeys(["shop:1", "shop:2", "shop:3"], "retention")


def test_failures_push_nothing_out_that_was_live() -> None:
    rows = [deployment(number) for number in (1, 2)] + [deployment(number, Phase.FAILED) for number in (3, 4, 5)]
    of = project(*rows)
    assert judge(of, names(of)).go == {"shop:3": "retention"}


def test_what_no_deployment_is_of_goes_as_that() -> None:
    of = project(deployment(1))
    assert judge(of, ["shop:1", "shop:lost"]).go == {"shop:lost": "unreferenced"}


@pytest.mark.parametrize(
    ("first", "known", "rule"),
    [
        (deployment(1), {"routes": routes(1)}, Rule.ADDRESSED),
        (deployment(1), {"routes": routes(1, 5)}, Rule.PREVIOUS),
        (deployment(1, container=ContainerState.RUNNING), {}, Rule.OCCUPIED),
        (deployment(1, container=ContainerState.PAUSED), {}, Rule.OCCUPIED),
        (deployment(1, Phase.CUTOVER), {}, Rule.UNDER_WAY),
        (deployment(1, Phase.BUILT), {}, Rule.UNDER_WAY),
        (deployment(1), {"commands": {UUID(int=1)}}, Rule.COMMAND),
    ],
)
def test_an_old_release_that_is_needed_stays_and_says_what_for(
    first: Deployment, known: Mapping[str, object], rule: Rule
) -> None:
    of = project(first, *(deployment(number) for number in range(2, 6)), **known)
    verdict = judge(of, names(of))
    assert verdict.stay["shop:1"] is rule
    assert set(verdict.go) == {"shop:2", "shop:3"}


def test_a_stopped_container_keeps_nothing() -> None:
    of = project(deployment(1, container=ContainerState.STOPPED), *(deployment(number) for number in (2, 3)))
    assert set(judge(of, names(of)).go) == {"shop:1"}


def test_the_way_back_is_what_was_live_and_not_a_cutover_that_failed() -> None:
    rows = [deployment(1), *(deployment(number, Phase.FAILED) for number in (3, 4)), *map(deployment, (5, 6, 7))]
    of = project(*rows, routes=routes(1, 5, 3, 5, 4, 5))
    assert judge(of, names(of)).stay["shop:1"] is Rule.PREVIOUS


def test_an_address_that_is_gone_has_no_way_back() -> None:
    rows = map(deployment, range(1, 6))
    of = project(*rows, routes=routes(1, 2, 0))
    assert set(judge(of, names(of)).go) == {"shop:1", "shop:2", "shop:3"}


def test_nothing_goes_while_a_build_may_find_that_it_needs_it() -> None:
    of = project(*map(deployment, range(1, 6)), deployment(6, Phase.BUILDING, release=None))
    verdict = judge(of, [*names(of), "shop:lost"])
    assert not verdict.go
    assert verdict.stay["shop:1"] is verdict.stay["shop:lost"] is Rule.BUILDING


def test_a_waiting_request_does_not_keep_a_full_node_full() -> None:
    of = project(*map(deployment, range(1, 6)), deployment(6, Phase.REQUESTED, release=None))
    assert set(judge(of, names(of)).go) == {"shop:1", "shop:2", "shop:3"}


def test_retired_release_takes_no_place_among_the_newest_unless_it_was_built_again() -> None:
    rows = [*map(deployment, range(1, 4))]
    retired = retention.evolve(None, recorded(ReleaseRetired(release="shop:3", node="one", why="retention"), 40))
    assert retired is not None
    of = project(*rows, releases=retired)
    assert set(judge(of, names(of)).go) == {"shop:3"}
    again = project(*rows, deployment(5, release="shop:3"), releases=retired)
    assert set(judge(again, names(again)).go) == {"shop:1"}


def test_a_retired_release_is_owed_until_it_is_said_to_be_gone() -> None:
    retired = retention.evolve(None, recorded(ReleaseRetired(release="shop:1", node="one", why="retention"), 7))
    assert retired == Releases(retired={"shop:1": 7}, owed=(("shop:1", "retention"),))
    layer = StorageReclaimed(node="one", kind="layer", name="shop:1", why="unreferenced")
    assert retention.evolve(retired, recorded(layer, 8)) == retired
    gone = StorageReclaimed(node="one", kind="release", name="shop:1", why="retention")
    assert retention.evolve(retired, recorded(gone, 9)) == Releases(retired={"shop:1": 7})


def test_where_the_disk_is_short_all_but_the_last_release_goes_that_nothing_points_at() -> None:
    of = project(*(deployment(number) for number in range(1, 6)), routes=routes(1, 3))
    verdict = judge(of, names(of), keeps=1)
    assert verdict.stay == {"shop:1": Rule.PREVIOUS, "shop:3": Rule.ADDRESSED, "shop:5": Rule.NEWEST}
    assert verdict.go == {"shop:2": "retention", "shop:4": "disk-full"}


@pytest.mark.parametrize(
    ("last", "left"),
    [
        (deployment(2, Phase.FAILED, release=None), False),
        (deployment(2, Phase.REQUESTED, release=None), True),
        (deployment(2, Phase.FAILED), True),
    ],
)
def test_a_project_has_nothing_left_once_all_ended_and_none_has_a_release(last: Deployment, left: object) -> None:
    of = project(deployment(1, Phase.CANCELED, release=None), last)
    assert of.has_nothing_left is not left


def test_the_sources_of_the_newest_of_what_stays_and_of_what_is_under_way_stay() -> None:
    rows = [deployment(1), deployment(2, Phase.BUILDING, None)]
    of = project(*rows, *(deployment(number) for number in range(3, 7)), routes=routes(1, 6))
    assert {one.int for one in of.sources_of} == {1, 2, 5, 6}


ROWS = st.builds(
    deployment,
    st.integers(1, 40),
    st.sampled_from(Phase),
    st.sampled_from([None, *(f"shop:{number}" for number in range(1, 9))]),
    st.sampled_from([None, *ContainerState]),
)


@given(
    rows=st.lists(ROWS, max_size=12, unique_by=lambda row: row.requested_sequence),
    path=st.lists(st.integers(0, 40), max_size=8),
    commands=st.sets(st.integers(1, 40).map(lambda number: UUID(int=number))),
    retired=st.dictionaries(st.sampled_from([f"shop:{number}" for number in range(1, 9)]), st.integers(1, 500)),
    keeps=st.none() | st.integers(1, 3),
)
def test_nothing_that_is_needed_ever_goes(
    rows: list[Deployment], path: list[int], commands: set[UUID], retired: dict[str, int], keeps: int | None
) -> None:
    pointed = routes(*path) if path else None
    of = project(*rows, routes=pointed, commands=commands, releases=Releases(retired=retired))
    present = {f"shop:{number}" for number in range(1, 11)}
    verdict = judge(of, sorted(present), keeps)
    assert verdict.stay.keys() | verdict.go.keys() == present
    assert not verdict.stay.keys() & verdict.go.keys()
    referenced = frozenset() if pointed is None else pointed.referenced
    for identity, row in of.deployments.items():
        needed = row.present or not row.phase.ended or identity in referenced or identity in commands
        assert not (needed and row.release in verdict.go)
    live = [row for row in sorted(rows, key=lambda row: -row.requested_sequence) if row.phase is Phase.LIVE]
    returnable = [row.release for row in live if row.release is not None and not of.retired(row.release)]
    least = KEEPS if keeps is None else min(keeps, KEEPS)
    assert not set(list(dict.fromkeys(returnable))[:least]) & verdict.go.keys()
    assert set(verdict.go.values()) <= {"retention", "unreferenced", *(["disk-full"] if keeps == 1 else [])}
    if not any(row.phase is Phase.BUILDING for row in rows):
        assert len(verdict.stay) <= 2 * KEEPS + sum(
            bool(row.present or not row.phase.ended or identity in referenced or identity in commands)
            for identity, row in of.deployments.items()
        ) + len({} if pointed is None else pointed.before)
