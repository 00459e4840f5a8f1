"""A team's projects, told event by event at moments of the past, as pages show them."""

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from support.eventlog_samples import PATIENT
from windlass_contracts.cloudevent import Metadata, Proposed
from windlass_contracts.config import Limits
from windlass_contracts.event import Event
from windlass_contracts.events import (
    AliasesChanged,
    BuildStarted,
    BuildSucceeded,
    ContainerLooping,
    ContainerStarted,
    CutoverStarted,
    DeploymentLive,
    Failed,
    Healthy,
    InspectionFailed,
    RestoreRequested,
    RoutesApplied,
    SourceInspected,
)
from windlass_contracts.events.deployment import LogRange, Recipe, Stage
from windlass_contracts.events.routes import Alias, AliasMove
from windlass_contracts.ids import DeploymentId, EventId, derived
from windlass_contracts.logs import MAX_LINES, LogBatch, LogLine
from windlass_contracts.subjects import Aggregate, AggregateKey, Service
from windlass_eventlog.appender import Appender
from windlass_eventlog.clock import utc_now
from windlass_eventlog.errors import ConflictError
from windlass_eventlog.log import Expected
from windlass_eventlog.logs.port import DeploymentLog
from windlass_gateway.application.access import Caller
from windlass_gateway.application.deploying import Deploying, DeployRequest
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.application.inspecting import Inspecting
from windlass_gateway.application.personal import Person
from windlass_gateway.application.projections import DEPLOYMENTS, ENVIRONMENTS, PROJECTS, ROUTES
from windlass_gateway.application.rolling_back import RollbackCommand, RollingBack
from windlass_gateway.domain.configuration import ConfigChange
from windlass_gateway.domain.deployment import Deployment
from windlass_gateway.domain.environments import PRODUCTION
from windlass_gateway.domain.repository import git_source

_NODE = "node-1"


@dataclass
class DashboardStory:
    """Tells a gateway's log what happened; `now` is the story's clock, which each step moves on."""

    gateway: Gateway
    caller: Caller
    now: datetime = field(default_factory=utc_now)
    step: timedelta = timedelta(milliseconds=700)
    _last: dict[AggregateKey, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        appender = Appender(self.gateway.log, Service.GATEWAY, self._clock)
        self.gateway = replace(self.gateway, append=appender, clock=self._clock)

    def _clock(self) -> datetime:
        return self.now

    def ago(self, **ago: float) -> None:
        """Let what follows have happened that long before the present."""
        self.now = utc_now() - timedelta(**ago)

    async def deploy(  # noqa: PLR0913 - a request has many parts, all but two by keyword
        self,
        slug: str,
        branch: str = "main",
        *,
        subject: str = "",
        author: str = "",
        environment: str = PRODUCTION,
        variables: Mapping[str, str] | None = None,
        config: ConfigChange | None = None,
        repository: str | None = None,
    ) -> DeploymentId:
        """Request a deployment and return its id."""
        source = git_source(repository or f"https://git.example.com/harbour/{slug}", branch)
        request = DeployRequest(
            key=str(uuid4()),
            trigger="webhook",
            source=source,
            project=slug,
            environment=environment,
            config=config or ConfigChange(),
            variables=variables or {},
            author=await self._person(author) if author else None,
            note=await self._note(subject) if subject else None,
        )
        requested = await Deploying(self.gateway).deploy(self.caller, request)
        await self.settled()
        return requested.deployment

    async def _person(self, name: str) -> UUID:
        identity = derived("person", name)
        if await self.gateway.personal.people.get(str(identity)) is None:
            await self.gateway.personal.people.create(str(identity), Person(name=name).model_dump_json().encode())
        return identity

    async def _note(self, text: str) -> UUID:
        identity = uuid4()
        await self.gateway.personal.notes.create(str(identity), text.encode())
        return identity

    async def build(self, deployment: DeploymentId, commit: str | None = None) -> None:
        sha = commit or derived("commit", str(deployment)).hex + "00000000"
        await self.tell(deployment, BuildStarted(node=_NODE, attempt=1, commit=sha))

    async def built(self, deployment: DeploymentId) -> None:
        await self.build(deployment)
        recipe = Recipe(
            runner="python", build_command="uv sync --locked", start_command="gunicorn app:app", detected_by="uv"
        )
        release = f"windlass-release:{deployment.hex[:12]}"
        await self.tell(
            deployment,
            BuildSucceeded(
                node=_NODE,
                release=release,
                digest="sha256:" + "0" * 64,
                recipe=recipe,
                cache_hit=False,
                duration_ms=9_300,
            ),
        )

    async def started(self, deployment: DeploymentId) -> None:
        await self.built(deployment)
        await self.starts(deployment)

    async def loops(self, deployment: DeploymentId, exits: int, exit_code: int) -> str:
        """Let its container end again and again, and return its name."""
        container = _container(deployment)
        looping = ContainerLooping(node=_NODE, container=container, exits=exits, exit_code=exit_code)
        await self.tell(deployment, looping)
        await self.settled()
        return container

    async def starts(self, deployment: DeploymentId) -> None:
        """Let its container start, be it for the first time or once more."""
        await self.tell(
            deployment,
            ContainerStarted(
                node=_NODE,
                container=_container(deployment),
                replica=0,
                address="10.0.0.2",
                port=8000,
                limits=Limits(),
                runtime="docker",
                duration_ms=210,
            ),
        )
        await self.settled()

    async def live(self, deployment: DeploymentId, *, beside: bool = False) -> None:
        """Take a requested deployment the whole way; `beside` its environment, to its branch's address alone."""
        await self.started(deployment)
        container = _container(deployment)
        await self.tell(deployment, Healthy(container=container, probe="http", status=200, tries=1, duration_ms=3))
        await self.tell(deployment, CutoverStarted(containers=(container,)))
        await (self._branch(deployment) if beside else self.route(deployment))
        await self.tell(deployment, DeploymentLive(generation=1, duration_ms=4_000))
        await self.settled()

    async def roll_back(self, slug: str, to: DeploymentId) -> None:
        """Let production go back to a deployment."""
        command = RollbackCommand(slug, to=to.hex)
        accepted = await RollingBack(self.gateway).roll_back(self.caller, command)
        await self.route(to, why="rollback", request=accepted.request)
        await self.settled()

    async def take_back(self, failed: DeploymentId, to: DeploymentId) -> None:
        """Let the monitor see a version fail, and the router let the environment answer with the one before."""
        row = await self._row(failed)
        wish = RestoreRequested(
            environment=row.environment,
            before=failed,
            to=to,
            code="errors",
            reason="53 of its 100 answers within a minute had a status of 500 or more.",
        )
        key = AggregateKey.of_project(row.team, row.project, Aggregate.ROUTES)
        sequence = await self.append(key, wish)
        async with aclosing(self.gateway.log.read(sequence - 1)) as events:
            asked = await anext(events)
        await self.route(to, why="restore", request=asked.metadata.id)
        await self.settled()

    async def _branch(self, deployment: DeploymentId) -> None:
        row = await self._row(deployment)
        project = await self.gateway.rows.get(PROJECTS, row.project)
        assert project is not None
        slug = project.row.slug
        branch = Alias(kind="branch", name=f"{slug}--git--{row.branch}", environment=row.environment)
        own = Alias(kind="deployment", name=f"{slug}--id--{deployment.hex[:12]}")
        moves = tuple(AliasMove(alias=alias, after=deployment) for alias in (branch, own))
        key = AggregateKey.of_project(row.team, row.project, Aggregate.ROUTES)
        generation = await self.append(key, AliasesChanged(why="cutover", deployment=deployment, moves=moves))
        await self.append(key, RoutesApplied(generation=generation, proxies=(_NODE,), duration_ms=40))

    async def route(self, deployment: DeploymentId, why: str = "cutover", request: EventId | None = None) -> None:
        """Let the addresses of the deployment's environment answer with it, confirmed."""
        row = await self._row(deployment)
        project = await self.gateway.rows.get(PROJECTS, row.project)
        environments = await self.gateway.rows.get(ENVIRONMENTS, row.project)
        assert project is not None
        assert environments is not None
        environment = environments.row.by_id(row.environment)
        assert environment is not None
        slug = project.row.slug
        name = slug if environment.production else f"{slug}--{environment.name}"
        known = await self.gateway.rows.get(ROUTES, row.project)
        alias = None if known is None else known.row.alias_of(row.environment)
        moves = (
            AliasMove(
                alias=Alias(kind="environment", name=name, environment=row.environment),
                before=None if alias is None else alias.current,
                after=deployment,
            ),
            AliasMove(alias=Alias(kind="deployment", name=f"{slug}--id--{deployment.hex[:12]}"), after=deployment),
        )
        key = AggregateKey.of_project(row.team, row.project, Aggregate.ROUTES)
        generation = await self.append(
            key, AliasesChanged(why=why, deployment=deployment, moves=moves, request=request)
        )
        await self.append(key, RoutesApplied(generation=generation, proxies=(_NODE,), duration_ms=40))

    async def fail(self, deployment: DeploymentId, reason: str = "The build command ended with exit code 1.") -> None:
        """Let a requested deployment fail in its build."""
        await self.build(deployment)
        lines = LogRange(source="build-1", first=0, last=2)
        failed = Failed(stage=Stage.BUILD, code="command-failed", reason=reason, exit_code=1, log=lines)
        await self.tell(deployment, failed)
        await self.settled()

    async def inspect(self, answer: SourceInspected | InspectionFailed | None) -> UUID:
        """Ask for a look into a repository, and answer if there is an answer."""
        source = git_source("https://github.com/harbour/tide-tables")
        asked = await Inspecting(self.gateway).request(self.caller, source)
        if answer is not None:
            await self.append(AggregateKey.of_inspection(self.caller.team, asked.inspection), answer)
        return asked.inspection

    async def write_log(self, deployment: DeploymentId, source: str, *texts: str) -> None:
        """Store lines of a build or a container."""
        row = await self._row(deployment)
        start = int(row.requested_at.timestamp() * 1e9)
        lines = (LogLine(time_ns=start + number * 10**8, text=text) for number, text in enumerate(texts))
        await self.write(deployment, source, *lines)

    async def tell(self, deployment: DeploymentId, *events: Event) -> None:
        """Append what another service says about a deployment."""
        row = await self._row(deployment)
        key = AggregateKey.of_deployment(row.team, row.project, deployment)
        for event in events:
            await self.append(key, event)

    async def append(self, key: AggregateKey, event: Event) -> int:
        """Append as the service whose event it is, behind whatever is there."""
        self.now += self.step
        (service, *_) = sorted(event.APPENDED_BY)
        identity = EventId(uuid4())
        proposed = Proposed(service, key, event, Metadata(identity, self.now, f"service:{service}", identity))
        while True:
            try:
                self._last[key] = await self.gateway.log.append(proposed, Expected.at(key, self._last.get(key, 0)))
            except ConflictError as conflict:
                self._last[key] = conflict.actual or await self.gateway.log.head()
            else:
                return self._last[key]

    async def write(self, deployment: DeploymentId, source: str, *lines: LogLine, first: int = 0) -> None:
        """Store lines of every kind."""
        row = await self._row(deployment)
        log = DeploymentLog(row.team, row.project, deployment)
        for at in range(0, len(lines), MAX_LINES):
            batch = LogBatch(source=source, first=first + at, lines=lines[at : at + MAX_LINES])
            await self.gateway.logs.append(log, batch)

    async def settled(self) -> None:
        """Wait until the rows show all of it."""
        await self.gateway.rows.reached(await self.gateway.log.head(), PATIENT)

    async def _row(self, deployment: DeploymentId) -> Deployment:
        await self.settled()
        found = await self.gateway.rows.get(DEPLOYMENTS, deployment)
        assert found is not None
        return found.row


def _container(deployment: DeploymentId) -> str:
    return f"windlass-0a1b2c3d-{deployment.hex[:8]}-1"
