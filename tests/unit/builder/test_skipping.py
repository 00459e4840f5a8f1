"""Pushes that change nothing which their project deploys for are skipped, with the reason; all else deploys."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from support import router_events as say
from support.memory_builder import COMMIT, MemoryBuilder
from windlass_builder.application.source import RepositoryUnreachableError
from windlass_builder.domain.changes import deploys_for
from windlass_contracts.config import DeploymentConfig
from windlass_contracts.events import DeploymentCanceled
from windlass_contracts.events.deployment import GitSource
from windlass_contracts.ids import DeploymentId
from windlass_contracts.source_values import PathPattern

RULES = DeploymentConfig(start_command="python server.py", include=("services/api/**", "*.toml"), exclude=("*.md",))
_PATTERN: TypeAdapter[str] = TypeAdapter(PathPattern)


async def pushed(builder: MemoryBuilder, *, trigger: str = "webhook", config: DeploymentConfig = RULES) -> DeploymentId:
    builder.deployments += 1
    identity = say.deployment_number(builder.deployments)
    request = say.requested(config=config).model_copy(update={"trigger": trigger})
    await builder.tell(identity, request)
    await builder.reactors.settle()
    return identity


@pytest.fixture
async def builder(tmp_path: Path) -> MemoryBuilder:
    """Return a builder of an environment that answers with a commit."""
    builder = MemoryBuilder(tmp_path)
    await builder.live()
    return builder


def canceled(builder: MemoryBuilder, deployment: DeploymentId) -> DeploymentCanceled | None:
    events = (builder.log.at(sequence) for sequence in range(1, builder.log.length + 1))
    found = [event.event for event in events if event.key.id == deployment]
    return next((event for event in found if isinstance(event, DeploymentCanceled)), None)


async def test_a_push_that_changes_none_of_the_paths_is_skipped_before_anything_is_built(
    builder: MemoryBuilder,
) -> None:
    builder.sources.changes = frozenset({"docs/index.html", "services/api/README.md"})
    event = canceled(builder, identity := await pushed(builder))
    assert event is not None
    assert (event.code, event.note) == ("unchanged", None)
    assert event.reason is not None
    assert "docs/index.html and 1 more" in event.reason
    assert COMMIT[:12] in event.reason
    assert builder.types(identity) == ["deployment.requested.v1", "deployment.canceled.v1"]


@pytest.mark.parametrize("changed", [{"services/api/main.py"}, {"docs/a.html", "apps/pyproject.toml"}, None])
async def test_a_push_that_changes_one_of_them_or_cannot_be_compared_deploys(
    builder: MemoryBuilder, changed: set[str] | None
) -> None:
    builder.sources.changes = None if changed is None else frozenset(changed)
    assert "build.succeeded.v1" in builder.types(await pushed(builder))


@pytest.mark.parametrize("trigger", ["api", "cli", "page", "redeploy"])
async def test_what_people_ask_for_is_never_skipped(builder: MemoryBuilder, trigger: str) -> None:
    builder.sources.changes = frozenset({"docs/index.html"})
    assert "build.succeeded.v1" in builder.types(await pushed(builder, trigger=trigger))


async def test_without_rules_or_anything_live_every_push_deploys(builder: MemoryBuilder, tmp_path: Path) -> None:
    builder.sources.changes = frozenset()
    without = DeploymentConfig(start_command="python server.py")
    assert "build.succeeded.v1" in builder.types(await pushed(builder, config=without))
    fresh = MemoryBuilder(tmp_path)
    fresh.sources.changes = frozenset()
    assert "build.succeeded.v1" in fresh.types(await pushed(fresh))


async def test_a_commit_without_changes_is_skipped_under_rules(builder: MemoryBuilder) -> None:
    builder.sources.changes = frozenset()
    assert canceled(builder, await pushed(builder)) is not None


async def test_a_comparison_that_fails_lets_the_push_deploy(builder: MemoryBuilder) -> None:
    async def changed(*_: object) -> frozenset[str] | None:
        raise RepositoryUnreachableError("https://git.example.com/shop")

    builder.sources.changed = changed  # type: ignore[method-assign, assignment]
    assert "build.succeeded.v1" in builder.types(await pushed(builder))


async def test_another_repositorys_commit_is_not_compared(builder: MemoryBuilder) -> None:
    builder.sources.changes = frozenset()
    builder.deployments += 1
    identity = say.deployment_number(builder.deployments)
    other = GitSource(repository="https://git.example.com/other", ref="main")
    request = say.requested(config=RULES).model_copy(update={"trigger": "webhook", "source": other})
    await builder.tell(identity, request)
    await builder.reactors.settle()
    assert "build.succeeded.v1" in builder.types(identity)


@pytest.mark.parametrize(
    ("include", "exclude", "path", "deploys"),
    [
        ((), (), "any", True),
        (("docs",), (), "docs/deep/file", True),
        (("docs",), (), "other/docs/file", True),
        (("docs/*.md",), (), "docs/deep/file.md", False),
        (("docs/**",), ("docs/**/*.md",), "docs/deep/file.md", False),
        ((), ("*.md",), "README.md", False),
        ((), ("*.md",), "README.mdx", True),
        (("src/",), (), "src/ünïcode \ufffd.py", True),
    ],
)
def test_patterns_are_those_of_gitignore_files(
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    path: str,
    deploys: bool,  # noqa: FBT001 - of the table above
) -> None:
    assert deploys_for(DeploymentConfig(include=include, exclude=exclude), {path}) is deploys


@example("[[]", "0")
@example("[?-.]", "0")
@given(st.text(st.sampled_from("*?[]!-ab/. {}"), min_size=1, max_size=12), st.text(min_size=1, max_size=20))
def test_every_pattern_that_a_project_may_have_is_matched_or_none(pattern: str, path: str) -> None:
    try:
        _PATTERN.validate_python(pattern)
    except ValidationError:
        return
    try:
        included = deploys_for(DeploymentConfig(include=(pattern,)), {path})
    except ValueError:
        return  # said by the matcher: such a project deploys every push
    excluded = not deploys_for(DeploymentConfig(exclude=(pattern,)), {path})
    assert included is excluded  # a pattern means the same on either side
