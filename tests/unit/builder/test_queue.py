"""Who is built next: fair between projects, in the log's order within each, the latest of each branch."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from windlass_builder.domain.deployment import Deployment
from windlass_builder.domain.queue import Request, in_turn, outdated, places
from windlass_contracts.config import DeploymentConfig
from windlass_contracts.events.deployment import GitSource, ImageSource, Source
from windlass_contracts.holds import Hold, Holds
from windlass_contracts.ids import DeploymentId, EnvironmentId, ProjectId, TeamId
from windlass_contracts.lifecycle import Phase
from windlass_contracts.replicas import ReplicaSet

_NOTHING_HELD = Holds()


def project(number: int) -> ProjectId:
    return ProjectId(UUID(int=number + 1))


def deployment(number: int) -> DeploymentId:
    return DeploymentId(UUID(int=number << 64))


def request(of: int, sequence: int, *, begun: bool = False) -> Request:
    return Request(deployment(sequence), project(of), sequence, begun)


@dataclass
class Site:
    """Builders at work, as the log tells of them: a sequence for each request and for each turn."""

    limit: int
    sequence: int = 0
    waiting: list[Request] = field(default_factory=list)
    building: list[Request] = field(default_factory=list)
    turns: dict[ProjectId, int] = field(default_factory=dict)
    given_while_waiting: dict[DeploymentId, Counter[ProjectId]] = field(default_factory=dict)

    def comes(self, of: int) -> None:
        self.sequence += 1
        self.waiting.append(request(of, self.sequence))
        self.given_while_waiting[deployment(self.sequence)] = Counter()

    def ends(self, which: int) -> None:
        if self.building:
            self.building.pop(which % len(self.building))

    def gives_turns(self) -> list[Request]:
        begun: list[Request] = []
        while self.waiting and len(self.building) < self.limit:
            chosen = in_turn(self.waiting, [one.project for one in self.building], self.turns)[0]
            self._check_fair(chosen)
            self.sequence += 1
            self.turns[chosen.project] = self.sequence
            self.waiting.remove(chosen)
            self.building.append(chosen)
            begun.append(chosen)
        return begun

    def _check_fair(self, chosen: Request) -> None:
        running = Counter(one.project for one in self.building)
        for project_waiting in {one.project for one in self.waiting} - {chosen.project}:
            oldest = min((one for one in self.waiting if one.project == project_waiting), key=lambda one: one.sequence)
            assert running[chosen.project] <= running[project_waiting]
            since = self.given_while_waiting[oldest.deployment]
            last = self.turns.get(project_waiting, 0)
            if running[project_waiting] == running[chosen.project] and last < oldest.sequence:
                assert not since[chosen.project], "it has a second turn while another project waits for its first"
        for one in self.waiting:
            self.given_while_waiting[one.deployment][chosen.project] += 1


_COMES = st.tuples(st.just("comes"), st.integers(0, 3))
_ENDS = st.tuples(st.just("ends"), st.integers(0, 3))
_HISTORIES = st.lists(st.one_of(_COMES, _COMES, _ENDS), max_size=60)


@given(history=_HISTORIES, limit=st.integers(1, 4))
def test_no_project_has_a_second_turn_before_one_that_waits_has_its_first(
    history: list[tuple[str, int]], limit: int
) -> None:
    site = Site(limit)
    for what, which in history:
        site.comes(which) if what == "comes" else site.ends(which)
        site.gives_turns()
        assert len(site.building) <= limit


@given(history=_HISTORIES, limit=st.integers(1, 4))
def test_everything_has_its_turn_however_many_new_projects_come(history: list[tuple[str, int]], limit: int) -> None:
    site = Site(limit)
    for what, which in history:
        site.comes(which) if what == "comes" else site.ends(which)
        site.gives_turns()
    waiting = {one.deployment for one in site.waiting}
    newcomer = 100
    for _ in range(4 * len(waiting) + 4):
        site.comes(newcomer)
        newcomer += 1
        site.ends(0)
        waiting -= {one.deployment for one in site.gives_turns()}
    assert not waiting


@given(sequences=st.lists(st.integers(1, 99), unique=True, min_size=1))
def test_within_a_project_the_log_says_the_order(sequences: list[int]) -> None:
    order = in_turn([request(0, sequence) for sequence in sequences], [], {})
    assert [one.sequence for one in order] == sorted(sequences)


def test_what_lost_its_builder_goes_on_before_anything_begins() -> None:
    order = in_turn([request(0, 1), request(1, 5, begun=True)], [], {project(1): 9})
    assert [one.sequence for one in order] == [5, 1]


def _row(
    sequence: int, phase: Phase = Phase.REQUESTED, source: Source | None = None, environment: int = 1
) -> Deployment:
    return Deployment(
        team=TeamId(UUID(int=7)),
        project=project(0),
        environment=EnvironmentId(UUID(int=environment)),
        requested_at=datetime(2026, 1, 1, tzinfo=UTC),
        requested_sequence=sequence,
        phase=phase,
        source=source or _git("main"),
        config=DeploymentConfig(),
        replica_set=ReplicaSet(wanted=1),
        variables=(),
    )


def _git(ref: str | None, commit: str | None = None) -> GitSource:
    return GitSource(repository="https://git.example/shop", ref=ref, commit=commit)


def _outdated(*rows: Deployment, holds: Holds = _NOTHING_HELD) -> dict[int, int]:
    numbered = {UUID(int=row.requested_sequence): row for row in rows}
    latest = DeploymentId(UUID(int=max(row.requested_sequence for row in rows)))
    return {earlier.int: later.int for earlier, later in outdated(numbered, latest, holds).items()}


def test_later_request_takes_the_place_of_all_before_their_cutover() -> None:
    phases = (Phase.REQUESTED, Phase.BUILDING, Phase.BUILT, Phase.STARTED, Phase.HEALTHY)
    rows = [_row(number, phase) for number, phase in enumerate(phases, 1)]
    assert _outdated(*rows, _row(9)) == dict.fromkeys(range(1, 6), 9)


def test_cutover_and_what_ended_is_left_alone() -> None:
    rows = [_row(number, phase) for number, phase in enumerate((Phase.CUTOVER, Phase.LIVE, Phase.FAILED), 1)]
    assert not _outdated(*rows, _row(9))


def test_branch_is_the_same_however_it_is_written() -> None:
    assert _outdated(_row(1, source=_git("refs/heads/main")), _row(2)) == {1: 2}


def test_other_branches_environments_and_single_commits_are_left_alone() -> None:
    image = ImageSource(reference="shop", digest=f"sha256:{'0' * 64}")
    others: tuple[Source, ...] = (_git("topic"), _git(None, "c" * 40), _git(None), image)
    rows = [_row(number, source=source) for number, source in enumerate(others, 1)]
    assert not _outdated(*rows, _row(8, environment=2), _row(9))
    assert not _outdated(_row(1, source=image), _row(2, source=image))


def test_request_that_comes_to_be_known_late_gives_way_to_the_later_one() -> None:
    rows = {UUID(int=1): _row(1), UUID(int=2): _row(2)}
    assert outdated(rows, DeploymentId(UUID(int=1)), Holds()) == {UUID(int=1): UUID(int=2)}


def test_push_that_is_held_back_takes_the_place_of_pushes_alone() -> None:
    hold = Hold(to=None, at=datetime(2026, 1, 1, tzinfo=UTC))
    pushed, asked = [_row(number).model_copy(update={"trigger": "webhook"}) for number in (1, 3)], _row(2)
    holds = Holds(now={asked.environment: hold})
    assert _outdated(pushed[0], asked, pushed[1]) == {1: 3, 2: 3}
    assert _outdated(pushed[0], asked, pushed[1], holds=holds) == {1: 3}
    assert _outdated(asked, pushed[1], _row(4), holds=holds) == {2: 4, 3: 4}


def test_place_and_reason_are_said() -> None:
    order = [request(0, 1), request(0, 2), request(1, 3)]
    first, second, third = places(order, 2, None)
    assert (first.position, first.reason) == (1, "2 builds run; it is the next.")
    assert second.reason == "2 builds run, and 1 request is before it (1 of its own project)."
    assert third.reason == "2 builds run, and 2 requests are before it (2 of other projects)."
    assert {place.reason for place in places(order, 0, "No disk.")} == {"No disk."}
