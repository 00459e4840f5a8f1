"""Which part of a deployment's log: one build, the command before the start, or one container."""

from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from windlass_contracts.ids import DeploymentId
from windlass_contracts.lifecycle import Phase
from windlass_contracts.values import LogSource
from windlass_eventlog.logs.port import DeploymentLog, LogStore
from windlass_eventlog.projection import Versioned
from windlass_gateway.application.log_reading import SourceLog
from windlass_gateway.domain.container import ContainerState
from windlass_gateway.domain.deployment import Deployment
from windlass_gateway.domain.refusals import InvalidInputError

_SOURCE: TypeAdapter[str] = TypeAdapter(LogSource)
_PRE_DEPLOY = "pre-deploy"
_RUNNING = frozenset({ContainerState.STARTED, ContainerState.HEALTHY, ContainerState.UNHEALTHY, ContainerState.LOOPING})


@dataclass(frozen=True, slots=True)
class Tab:
    """A source with the name that people call it by."""

    source: str
    name: str


def source_log(store: LogStore, found: Versioned[Deployment], source: str) -> SourceLog:
    """Return the log of a source.

    Raises:
        InvalidInputError: that cannot be a source.
    """
    try:
        checked = _SOURCE.validate_python(source)
    except ValidationError:
        raise InvalidInputError(
            "That is no source of a log.", field="source", next_step="Choose one of the tabs above the log."
        ) from None
    return SourceLog(store, DeploymentLog(found.row.team, found.row.project, DeploymentId(found.key)), checked)


def tabs(row: Deployment) -> list[Tab]:
    """Return the sources of a deployment: its builds, what ran before the start, its containers."""
    attempts = range(1, max(1, row.attempt) + 1)
    builds = [Tab(_build(attempt), "Build" if attempt == 1 else f"Build {attempt}") for attempt in attempts]
    names = sorted(container.name for container in row.containers)
    before = [Tab(_PRE_DEPLOY, "Pre-deploy")] if row.pre_deploy_began else []
    return [
        *builds,
        *before,
        *(Tab(name, "App" if len(names) == 1 else f"App {place}") for place, name in enumerate(names, 1)),
    ]


def most_relevant(row: Deployment) -> str:
    """Return the source that says most about how the deployment stands."""
    if row.failure is not None and row.failure.log is not None:
        return row.failure.log.source
    if row.containers and row.phase not in {Phase.REQUESTED, Phase.BUILDING}:
        running = [container for container in row.containers if container.state in _RUNNING]
        return min(container.name for container in running or row.containers)
    return _PRE_DEPLOY if row.pre_deploy_began else _build(max(1, row.attempt))


def telling_lines(row: Deployment, source: str) -> tuple[int, int] | None:
    """Return the first and the last line, counted from 1, that say why it failed, where the source has them."""
    lines = None if row.failure is None else row.failure.log
    return None if lines is None or lines.source != source else (lines.first + 1, lines.last + 1)


def grows(row: Deployment, source: str) -> bool:
    """Return whether more lines may come: a build that is over writes none."""
    building = row.phase in {Phase.REQUESTED, Phase.BUILDING} and source == _build(max(1, row.attempt))
    before = row.waits_for_pre_deploy and source == _PRE_DEPLOY
    return building or before or any(container.name == source for container in row.containers)


def _build(attempt: int) -> str:
    return f"build-{attempt}"
