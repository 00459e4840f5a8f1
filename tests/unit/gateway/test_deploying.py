"""A request to deploy brings its project and environment into being, once, and only what is needed is appended."""

from uuid import UUID

import pytest

from support.gateway_story import (
    NOON,
    PRODUCTION,
    PROJECT,
    REPOSITORY,
    STAGING,
    TEAM,
    deployment_after,
    deployment_number,
    way_to_live,
)
from windlass_contracts.config import DeploymentConfig
from windlass_contracts.event import Event
from windlass_contracts.events import (
    DeploymentRequested,
    EnvironmentCreated,
    ProjectConfigured,
    ProjectCreated,
    VariableSet,
)
from windlass_contracts.events.deployment import GitSource
from windlass_contracts.ids import TeamId
from windlass_contracts.subjects import PROJECT_REGISTRY
from windlass_gateway.domain.configuration import ConfigChange, LimitsChange
from windlass_gateway.domain.deploying import (
    Accepted,
    DeployCommand,
    ProjectState,
    check_replay,
    decide_deployment,
    deployment_of,
    target_environment,
)
from windlass_gateway.domain.environments import Environment, Environments
from windlass_gateway.domain.project import Project
from windlass_gateway.domain.refusals import InvalidInputError, KeyReusedError, SlugTakenError
from windlass_gateway.domain.variables import MAX_VARIABLES, Variable, Variables

EXISTING = Project(
    team=TEAM,
    slug="shop",
    name="Shop",
    repository=REPOSITORY,
    default_branch="trunk",
    config=DeploymentConfig(port=9_000),
    created_at=NOON,
)
BOTH = Environments(
    all=(
        Environment(id=PRODUCTION, name="production", production=True),
        Environment(id=STAGING, name="staging", production=False),
    )
)


def command(**changes: object) -> DeployCommand:
    given: dict[str, object] = {
        "team": TEAM,
        "request_key": "key-1",
        "trigger": "api",
        "source": GitSource(repository=REPOSITORY, ref="main"),
    }
    return DeployCommand(**{**given, **changes})  # type: ignore[arg-type] # each test names what it changes


def known(project: Project = EXISTING) -> ProjectState:
    return ProjectState(PROJECT, 40, project, 30, BOTH, 31)


def decide(asked: DeployCommand, state: ProjectState) -> Accepted:
    return decide_deployment(asked, state, target_environment(asked, state, fresh=PRODUCTION))


def events(accepted: Accepted) -> list[type[Event]]:
    return [type(write.event) for write in accepted.writes]


def requested(accepted: Accepted) -> DeploymentRequested:
    event = accepted.writes[-1].event
    assert isinstance(event, DeploymentRequested)
    return event


def test_the_first_deployment_creates_project_and_production() -> None:
    accepted = decide(command(), ProjectState(PROJECT, registry_sequence=12))
    assert events(accepted) == [ProjectCreated, EnvironmentCreated, DeploymentRequested]
    created = accepted.writes[0]
    assert (created.scope, created.after) == (PROJECT_REGISTRY, 12)
    assert accepted.slug == "shop"
    assert accepted.writes[-1].after == 0


def test_a_known_project_only_gets_the_request() -> None:
    accepted = decide(command(), known())
    assert events(accepted) == [DeploymentRequested]
    assert requested(accepted).config.port == 9_000


def test_the_same_key_means_the_same_deployment_and_another_key_another() -> None:
    state = known()
    ids = {deployment_of(command(request_key=key), state, BOTH.all[0]) for key in ("key-1", "key-1", "key-2", "key-2")}
    assert len(ids) == 2


def test_without_a_ref_the_projects_default_branch_is_deployed() -> None:
    accepted = decide(command(source=GitSource(repository=REPOSITORY)), known())
    assert requested(accepted).source == GitSource(repository=REPOSITORY, ref="trunk")


def test_options_for_production_are_kept_for_the_project() -> None:
    accepted = decide(command(config=ConfigChange(port=7_000)), known())
    assert events(accepted) == [ProjectConfigured, DeploymentRequested]
    assert requested(accepted).config.port == 7_000


def test_options_for_another_environment_count_once() -> None:
    accepted = decide(command(environment="staging", config=ConfigChange(port=7_000)), known())
    assert events(accepted) == [DeploymentRequested]
    assert requested(accepted).config.port == 7_000


def test_a_part_of_the_limits_leaves_the_other_parts_as_they_were() -> None:
    accepted = decide(command(config=ConfigChange(limits=LimitsChange(memory_mib=64))), known())
    limits = requested(accepted).config.limits
    assert (limits.memory_bytes, limits.processes) == (64 * 1024 * 1024, EXISTING.config.limits.processes)


def test_the_name_of_another_repositorys_project_is_refused_unless_it_is_said() -> None:
    other = GitSource(repository="https://git.example/somebody/shop", ref="main")
    with pytest.raises(SlugTakenError):
        decide(command(source=other), known())
    assert events(decide(command(source=other, project="shop"), known())) == [DeploymentRequested]


@pytest.mark.parametrize("same", ["ssh://git@git.example/owner/shop.git", "https://git.example/owner/shop/"])
def test_the_same_repository_by_another_address_is_the_same_project(same: str) -> None:
    assert events(decide(command(source=GitSource(repository=same)), known())) == [DeploymentRequested]


def test_another_teams_project_is_nobody_elses() -> None:
    foreign = EXISTING.model_copy(update={"team": TeamId(UUID(int=9))})
    with pytest.raises(SlugTakenError):
        decide(command(project="shop"), known(foreign))


def test_windlass_is_no_name_for_a_project() -> None:
    with pytest.raises(InvalidInputError):
        decide(command(project="windlass"), ProjectState(PROJECT))


def test_variables_of_the_environment_win_over_the_projects_and_new_ones_over_both() -> None:
    everywhere, own, new = UUID(int=50), UUID(int=51), UUID(int=52)
    variables = Variables(
        all=(
            Variable(name="A", environment=None, secret=everywhere, set_at=NOON),
            Variable(name="B", environment=None, secret=everywhere, set_at=NOON),
            Variable(name="B", environment=PRODUCTION, secret=own, set_at=NOON),
            Variable(name="C", environment=STAGING, secret=own, set_at=NOON),
            Variable(name="D", environment=PRODUCTION, secret=own, set_at=NOON),
        )
    )
    state = ProjectState(PROJECT, 40, EXISTING, 30, BOTH, 31, variables, 32)
    accepted = decide(command(secrets={"D": new}), state)
    assert events(accepted) == [VariableSet, DeploymentRequested]
    snapshot = {one.name: one.secret for one in requested(accepted).variables}
    assert snapshot == {"A": everywhere, "B": own, "D": new}


def test_too_many_variables_are_refused() -> None:
    secrets = {f"V{number}": UUID(int=number) for number in range(MAX_VARIABLES + 1)}
    with pytest.raises(InvalidInputError, match="300 is the limit"):
        decide(command(secrets=secrets), known())


def test_a_key_that_comes_back_with_another_source_is_refused() -> None:
    row = deployment_after(way_to_live())
    check_replay(command(), deployment_number(1), row)
    check_replay(command(source=GitSource(repository=REPOSITORY)), deployment_number(1), row)
    for other in (GitSource(repository=REPOSITORY, ref="other"), GitSource(repository="https://git.example/x/y")):
        with pytest.raises(KeyReusedError):
            check_replay(command(source=other), deployment_number(1), row)
