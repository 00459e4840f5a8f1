"""The use cases of a live version's containers: how many there are, and fresh ones in their place."""

from dataclasses import dataclass

from windlass_contracts.event import Event
from windlass_contracts.events import DeploymentScaled
from windlass_contracts.ids import DeploymentId, EventId, ProjectId, derived
from windlass_contracts.subjects import Aggregate, AggregateKey
from windlass_eventlog.projection import Versioned
from windlass_gateway.application.access import Caller, Permission
from windlass_gateway.application.decisions import Signature, append_all, decided
from windlass_gateway.application.finding import Finder
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.application.projections import DEPLOYMENTS, ROUTES
from windlass_gateway.domain.configuration import ConfigChange
from windlass_gateway.domain.deployment import Deployment
from windlass_gateway.domain.environments import PRODUCTION, Environment
from windlass_gateway.domain.project import Project, ProjectChange, decide_configuration
from windlass_gateway.domain.refusals import DeploymentNotFoundError, EnvironmentNotFoundError
from windlass_gateway.domain.scaling import check_count, decide_restart, decide_scale, what_answers
from windlass_gateway.domain.writes import Write


@dataclass(frozen=True, slots=True)
class ScaleCommand:
    """In how many containers what answers at an environment shall run, and every later deployment of the project."""

    project: str
    replicas: int
    environment: str = PRODUCTION


@dataclass(frozen=True, slots=True)
class Accepted:
    """What was appended about a deployment; `request` is the id that the answer to a restart carries."""

    request: EventId
    project: str
    environment: str
    deployment: DeploymentId
    replicas: int
    sequence: int


@dataclass(frozen=True, slots=True)
class _Answering:
    """What answers at an environment."""

    project: Versioned[Project]
    environment: Environment
    found: Versioned[Deployment]

    @property
    def id(self) -> DeploymentId:
        return DeploymentId(self.found.key)

    def write(self, event: Event) -> Write:
        row = self.found.row
        return Write(AggregateKey.of_deployment(row.team, row.project, self.id), event, self.found.sequence)

    def accepted(self, request: EventId, replicas: int, sequence: int) -> Accepted:
        names = self.project.row.slug, self.environment.name
        return Accepted(request, *names, self.id, replicas, sequence)


@dataclass(frozen=True, slots=True)
class Scaling:
    """Scales and restarts."""

    gateway: Gateway

    async def scale(self, caller: Caller, command: ScaleCommand) -> Accepted:
        """Return once it is durable: the setting for the deployments to come first, then the version that answers.

        Raises:
            Refusal: that is no number of containers, or nothing answers there.
            EventLogError: the log did not take it.
        """
        caller.demand(Permission.CONFIGURE)
        caller.demand(Permission.DEPLOY)
        check_count(command.replicas)
        identity = EventId(self.gateway.fresh_id())

        async def attempt() -> Accepted:
            here = await self._answering(caller, command.project, command.environment)
            event = decide_scale(here.id, here.found.row, command.replicas)
            sequence = await self._append(caller, here, command.replicas, event, identity)
            return here.accepted(identity, command.replicas, sequence)

        return await decided(self.gateway, attempt)

    async def _append(
        self, caller: Caller, here: _Answering, replicas: int, event: DeploymentScaled | None, identity: EventId
    ) -> int:
        configured = decide_configuration(here.project.row, ProjectChange({}, ConfigChange(replicas=replicas)))
        key = AggregateKey.of_project(caller.team, ProjectId(here.project.key), Aggregate.PROJECT)
        writes = [] if configured is None else [Write(key, configured, here.project.sequence)]
        writes += [] if event is None else [here.write(event)]
        if not writes:
            return here.found.sequence
        return await append_all(self.gateway, writes, Signature(caller.actor, identity))

    async def restart(
        self, caller: Caller, project: str, environment: str = PRODUCTION, key: str | None = None
    ) -> Accepted:
        """Return once the request for fresh containers is durable; the same key is the same restart of a version.

        So it is for as long as the log knows what was appended twice, 2 minutes.

        Raises:
            Refusal: nothing answers there.
            EventLogError: the log did not take it.
        """
        caller.demand(Permission.DEPLOY)
        key = key or str(self.gateway.fresh_id())

        async def attempt() -> Accepted:
            return await self._restart(caller, await self._answering(caller, project, environment), key)

        return await decided(self.gateway, attempt)

    async def restart_deployment(self, caller: Caller, written: str, key: str | None = None) -> Accepted:
        """Return once the request for fresh containers of that deployment is durable; with a key as `restart`.

        Raises:
            Refusal: it does not answer anywhere.
            EventLogError: the log did not take it.
        """
        caller.demand(Permission.DEPLOY)
        key = key or str(self.gateway.fresh_id())

        async def attempt() -> Accepted:
            finder = Finder(self.gateway.rows, caller.team)
            found = await finder.deployment(written)
            project = await finder.project_by_id(found.row.project)
            if project is None:
                raise DeploymentNotFoundError(written)
            environment = (await finder.environments(project.key)).by_id(found.row.environment)
            if environment is None:
                raise EnvironmentNotFoundError(project.row.slug, str(found.row.environment))
            return await self._restart(caller, _Answering(project, environment, found), key)

        return await decided(self.gateway, attempt)

    async def _restart(self, caller: Caller, here: _Answering, key: str) -> Accepted:
        identity = EventId(derived("restart", key, caller.actor, here.id))
        routes = await self.gateway.rows.get(ROUTES, here.project.key)
        event = decide_restart(here.id, here.found.row, None if routes is None else routes.row)
        sequence = await append_all(self.gateway, [here.write(event)], Signature(caller.actor, identity))
        return here.accepted(identity, here.found.row.replicas, sequence)

    async def _answering(self, caller: Caller, slug: str, name: str) -> _Answering:
        finder = Finder(self.gateway.rows, caller.team)
        project = await finder.project(slug)
        environment = await finder.environment(project, name)
        routes = await self.gateway.rows.get(ROUTES, project.key)
        current = what_answers(environment, None if routes is None else routes.row)
        found = await self.gateway.rows.get(DEPLOYMENTS, current)
        if found is None:
            raise DeploymentNotFoundError(current.hex)
        return _Answering(project, environment, found)
