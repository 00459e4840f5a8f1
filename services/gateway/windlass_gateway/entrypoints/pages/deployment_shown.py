"""All that the page of a deployment shows, and its live frames with it: the same for everybody who may read it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from windlass_contracts.config import MIB, CommandProbe, Deadlines, DeploymentConfig, HttpProbe, RestoreIn, WatchWindow
from windlass_contracts.events.deployment import GitSource, ImageSource, Recipe, VariableVersion
from windlass_contracts.ids import DeploymentId
from windlass_eventlog.projection import Versioned
from windlass_gateway.application.deleting_branches import branch_state
from windlass_gateway.application.explaining import explained
from windlass_gateway.application.finding import Finder
from windlass_gateway.application.projections import RELEASES
from windlass_gateway.domain.container import Container
from windlass_gateway.domain.deployment import Deployment, Failure
from windlass_gateway.domain.explanation import Explanation
from windlass_gateway.domain.holding import HeldBack, held_back
from windlass_gateway.domain.promoting import can_be_promoted
from windlass_gateway.domain.refusals import NothingToRollBackError
from windlass_gateway.domain.releases import Releases
from windlass_gateway.domain.remedies import remedy
from windlass_gateway.domain.replacing import Replaced, replaced
from windlass_gateway.domain.restoring import TakenBack, taken_back
from windlass_gateway.domain.rolling_back import Candidate, decide_rollback
from windlass_gateway.domain.routes import BRANCH_ALIAS
from windlass_gateway.domain.sharing import Share, rolled_out
from windlass_gateway.domain.timeline import PRE_DEPLOY, StepState, steps
from windlass_gateway.entrypoints.context import Context
from windlass_gateway.entrypoints.pages.lines import Around, Line, Lines
from windlass_gateway.entrypoints.pages.log_source import Tab, most_relevant, tabs
from windlass_gateway.entrypoints.pages.recipes import reason, runner_name
from windlass_gateway.entrypoints.pages.repository_links import RepositoryLinks

_STEPS = (
    ("queue", "Queued", "Queue"),
    ("build", "Fetched and built", "Fetch and build"),
    ("pre-deploy", "Ran the pre-deploy command", "Run the pre-deploy command"),
    ("start", "Started", "Start"),
    ("health", "Answered its probe", "Answer the probe"),
    ("cutover", "Cutover begun", "Begin the cutover"),
    ("route", "Routed, confirmed by every proxy", "Route"),
)
"""Each step: what it is called once it is over, and before."""

_CORE = 1_000


@dataclass(frozen=True, slots=True)
class StepShown:
    """A step of the timeline; `state` is done, running, broken-off or to-come."""

    name: str
    state: str
    started_at: datetime | None = None
    duration_ms: int | None = None


@dataclass(frozen=True, slots=True)
class DeploymentShown:
    """A deployment with everything around it."""

    line: Line
    row: Deployment
    timeline: Sequence[StepShown]
    explanation: Explanation
    remedy: str | None
    tabs: Sequence[Tab]
    opens_on: str
    urls: Sequence[str]
    settings: Sequence[tuple[str, str]]
    no_rollback: str | None
    held_back: HeldBack | None
    taken_back: TakenBack | None
    replaced: Replaced | None
    rolled_out: Share | None
    promotable: Sequence[str]
    """The environments that can answer with it instead of what they answer with."""
    shown_at: datetime
    branch_goes_at: datetime | None = None
    """When its branch's address goes, which answers with it: the branch was deleted."""

    @property
    def id(self) -> DeploymentId:
        return self.line.id

    @property
    def failure(self) -> Failure | None:
        return self.row.failure

    @property
    def recipe(self) -> Recipe | None:
        return self.row.recipe

    @property
    def runner(self) -> str | None:
        return None if self.row.recipe is None else runner_name(self.row.recipe.runner)

    @property
    def reason(self) -> str | None:
        """Why it was built and started like that."""
        return None if self.row.recipe is None else reason(self.row.recipe)

    @property
    def containers(self) -> Sequence[Container]:
        return sorted(self.row.containers, key=lambda container: container.name)

    @property
    def variables(self) -> Sequence[VariableVersion]:
        return self.row.variables

    @property
    def links(self) -> RepositoryLinks:
        return RepositoryLinks.of(self.repository)

    @property
    def image(self) -> str | None:
        """The ready image that was deployed, pinned."""
        source = self.row.source
        return f"{source.reference}@{source.digest}" if isinstance(source, ImageSource) else None

    @property
    def repository(self) -> str | None:
        return self.row.source.repository if isinstance(self.row.source, GitSource) else None

    @property
    def title(self) -> str:
        return f"{self.line.project}: {self.line.subject or self.line.branch or self.line.environment}"


async def deployment_shown(shared: Context, finder: Finder, found: Versioned[Deployment]) -> DeploymentShown:
    """Load what belongs to a deployment."""
    lines = Lines(finder, shared.gateway.personal, shared.places)
    around = await lines.around_deployments([found])
    surroundings = around[found.row.project]
    (line,) = await lines.of([found], around)
    known = await finder.rows.get(RELEASES, found.row.project)
    retired = Releases() if known is None else known.row
    environment = surroundings.environments.by_id(found.row.environment)
    held = None if environment is None else held_back(environment, surroundings.routes, line.id, found.row)
    target = Candidate(line.id, found.row)
    return DeploymentShown(
        line=line,
        row=found.row,
        timeline=timeline(found.row),
        explanation=await explained(shared.gateway, found),
        remedy=None if found.row.failure is None else remedy(found.row.failure),
        tabs=tabs(found.row),
        opens_on=most_relevant(found.row),
        urls=_urls(shared, surroundings, found),
        settings=settings(found.row.config),
        no_rollback=_no_rollback(surroundings, found, retired),
        held_back=held,
        taken_back=taken_back(surroundings.environments, surroundings.routes, line.id),
        replaced=replaced(surroundings.slug, surroundings.environments, surroundings.routes, target, retired),
        rolled_out=rolled_out(surroundings.environments, surroundings.routes, line.id),
        promotable=_promotable(surroundings, found, retired, held),
        shown_at=shared.gateway.clock(),
        branch_goes_at=await _branch_goes_at(shared, surroundings, found),
    )


def timeline(row: Deployment) -> list[StepShown]:
    """Return the steps that were begun, and, while the deployment is on its way, those to come."""
    begun = {step.name: step for step in steps(row)}
    shown = []
    for key, over, before in _STEPS:
        step = begun.get(key)
        if step is not None:
            name = over if step.state is StepState.DONE else before
            shown.append(StepShown(name, step.state, step.started_at, step.duration_ms))
        elif not row.ended and (key != PRE_DEPLOY or row.config.pre_deploy_command is not None):
            shown.append(StepShown(before, "to-come"))
    return shown


def _urls(shared: Context, around: Around, found: Versioned[Deployment]) -> list[str]:
    """Return where it answers; before its end, where it will."""
    identity = DeploymentId(found.key)
    environment = around.environments.by_id(found.row.environment)
    if not found.row.ended and environment is not None:
        return shared.places.expected(around.slug, environment, identity)
    return [shared.places.of_alias(alias) for alias in around.routes.pointing_at(identity)]


async def _branch_goes_at(shared: Context, around: Around, found: Versioned[Deployment]) -> datetime | None:
    branch = found.row.branch
    pointing = (alias.kind for alias in around.routes.pointing_at(DeploymentId(found.key)))
    if branch not in around.routes.deleted or branch is None or BRANCH_ALIAS not in pointing:
        return None
    deletion = (await branch_state(shared.gateway, around.routes, branch)).deletion(branch)
    return None if deletion is None else deletion.until


def _no_rollback(around: Around, found: Versioned[Deployment], releases: Releases) -> str | None:
    """Return why the environment cannot go back to the deployment; None where it can."""
    environment = around.environments.by_id(found.row.environment)
    if environment is None:
        return "Its environment does not exist any more."
    alias = around.routes.alias_of(environment.id)
    try:
        decide_rollback(environment, alias, Candidate(DeploymentId(found.key), found.row), releases)
    except NothingToRollBackError as error:
        return error.detail
    return None


def _promotable(
    around: Around, found: Versioned[Deployment], releases: Releases, held: HeldBack | None
) -> Sequence[str]:
    """Return where it can be promoted to, production first: to its own environment only what was held back there."""
    target = Candidate(DeploymentId(found.key), found.row)
    possible = (
        one
        for one in around.environments.all
        if (one.id != found.row.environment or held is not None)
        and can_be_promoted(one, around.routes, target, releases)
    )
    return [one.name for one in sorted(possible, key=lambda one: (not one.production, one.name))]


def settings(config: DeploymentConfig) -> list[tuple[str, str]]:
    """Return the configuration in words; what is detected from the source stands with the recipe."""
    return [
        ("Folder", config.root or "the top of the repository"),
        ("Build command", config.build_command or "detected"),
        ("Pre-deploy command", config.pre_deploy_command or "none"),
        ("Start command", config.start_command or "detected"),
        ("Deploys for", _paths(config)),
        ("Port", str(config.port)),
        ("Replicas", str(config.replicas)),
        ("Health", _probe(config)),
        ("Taken back by itself", _watch(config.watch)),
        (
            "Memory and CPU",
            f"{config.limits.memory_bytes // MIB} MiB, {config.limits.cpu_millis / _CORE:g} cores each",
        ),
        ("Deadlines", _deadlines(config.deadlines)),
        (
            "When replaced",
            f"drained for {config.retirement.drain_s} s, kept warm for {config.retirement.keep_warm_s} s",
        ),
    ]


def _paths(config: DeploymentConfig) -> str:
    """Say for which changed paths a push deploys."""
    included = ", ".join(config.include) or "every path"
    return f"{included} but {', '.join(config.exclude)}" if config.exclude else included


def _deadlines(limits: Deadlines) -> str:
    steps = {
        "build": limits.build_s,
        "pre-deploy": limits.pre_deploy_s,
        "start": limits.start_s,
        "health": limits.health_s,
    }
    return ", ".join(f"{step} {seconds} s" for step, seconds in steps.items())


def _watch(watch: WatchWindow) -> str:
    if watch.restore_in is RestoreIn.NOWHERE:
        return "no"
    where = "in production" if watch.restore_in is RestoreIn.PRODUCTION else "everywhere"
    return f"{where}, within {watch.window_s} s, if its containers or {watch.errors_percent} % of its answers fail"


def _probe(config: DeploymentConfig) -> str:
    match config.probe:
        case HttpProbe(path=path, status_min=low, status_max=high):
            return f"GET {path} answers {low} to {high}"
        case CommandProbe(command=command):
            return f"`{command}` exits with 0"
        case _:
            return "the port takes a connection"
