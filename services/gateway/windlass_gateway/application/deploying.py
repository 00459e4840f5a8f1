"""The use case of a deployment: everybody who wants one comes through here."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from windlass_contracts.events.deployment import Source
from windlass_contracts.ids import DeploymentId, EnvironmentId, EventId, NoteId, PersonId, ProjectId, SecretId, derived
from windlass_eventlog.projection import Projection, RowT
from windlass_gateway.application.access import Caller, Permission
from windlass_gateway.application.decisions import Signature, append_all, decided
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.application.projections import DEPLOYMENTS, ENVIRONMENTS, PROJECTS, REGISTRIES, VARIABLES
from windlass_gateway.domain.configuration import ConfigChange
from windlass_gateway.domain.deploying import (
    DeployCommand,
    ProjectState,
    check_replay,
    decide_deployment,
    deployment_of,
    target_environment,
)
from windlass_gateway.domain.environments import PRODUCTION, Environment, Environments
from windlass_gateway.domain.project import REGISTRY
from windlass_gateway.domain.variables import Variables


@dataclass(frozen=True, slots=True)
class DeployRequest:
    """What somebody wants deployed. `key` makes the same request, sent again, the same deployment."""

    key: str
    trigger: str
    source: Source
    project: str | None = None
    project_id: ProjectId | None = None
    """Of a project that is known to exist, and has that name. Says too that `key` is never used for something else."""
    environment: str = PRODUCTION
    config: ConfigChange = field(default_factory=ConfigChange)
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    based_on: DeploymentId | None = None
    author: PersonId | None = None
    note: NoteId | None = None


@dataclass(frozen=True, slots=True)
class Requested:
    """The deployment that was requested, now or by the same request before."""

    deployment: DeploymentId
    project: str
    environment: Environment
    sequence: int


@dataclass(frozen=True, slots=True)
class Deploying:
    """Requests deployments."""

    gateway: Gateway

    async def deploy(self, caller: Caller, request: DeployRequest) -> Requested:
        """Return once the request is durable.

        Raises:
            Refusal: it cannot be accepted; nothing of it was.
            EventLogError: the log did not take it.
        """
        caller.demand(Permission.DEPLOY)
        if request.variables or request.config.given():  # which are the environment's, or the project's, from then on
            caller.demand(Permission.CONFIGURE)
        command = DeployCommand(
            team=caller.team,
            request_key=request.key,
            trigger=request.trigger,
            source=request.source,
            project=request.project,
            environment=request.environment,
            config=request.config,
            based_on=request.based_on,
            author=request.author,
            note=request.note,
        )
        attempt = _Attempt(self.gateway, caller, command, request)
        # Where keys are never used for two different requests, a replay is told by the log alone.
        knowing = None if request.project_id is None else self.gateway.own.settings
        return await decided(self.gateway, attempt.run, knowing=knowing)


class _Attempt:
    """One request, decided as often as it takes: with the same fresh ids, and with its values stored only once."""

    def __init__(self, gateway: Gateway, caller: Caller, command: DeployCommand, request: DeployRequest) -> None:
        self._gateway = gateway
        self._caller = caller
        self._command = command
        self._values = request.variables
        self._known_project = request.project_id
        self._project = ProjectId(gateway.fresh_id())
        self._environment = EnvironmentId(gateway.fresh_id())
        self._stored: dict[str, SecretId] = {}

    async def run(self) -> Requested:
        state = await self._state()
        environment = target_environment(self._command, state, self._environment)
        identity = deployment_of(self._command, state, environment)
        known = await self._gateway.rows.get(DEPLOYMENTS, identity)
        if known is not None:
            check_replay(self._command, identity, known.row)
            return Requested(identity, self._command.slug, environment, known.row.requested_sequence)
        return await self._request(state, environment, identity)

    async def _request(self, state: ProjectState, environment: Environment, identity: DeploymentId) -> Requested:
        accepted = decide_deployment(self._command, state, environment)  # a refusal comes before anything is stored
        if self._values:
            secrets = await self._store_values()
            accepted = decide_deployment(replace(self._command, secrets=secrets), state, environment)
        request = EventId(derived("event", identity, "requested"))
        sequence = await append_all(self._gateway, accepted.writes, Signature(self._caller.actor, request))
        return Requested(identity, accepted.slug, environment, sequence)

    async def _store_values(self) -> Mapping[str, SecretId]:
        for name, value in self._values.items():
            if name not in self._stored:
                self._stored[name] = await self._gateway.vault.store(value)
        return self._stored

    async def _state(self) -> ProjectState:
        if self._known_project is not None:
            return await self._known(self._known_project, 0)
        registry = await self._gateway.rows.get(REGISTRIES, REGISTRY)
        taken = {} if registry is None else registry.row.projects
        last = 0 if registry is None else registry.sequence
        identity = taken.get(self._command.slug)
        if identity is None:
            return ProjectState(self._project, last)
        return await self._known(identity, last)

    async def _known(self, identity: ProjectId, last: int) -> ProjectState:
        project, (environments, environments_sequence), (variables, variables_sequence) = await asyncio.gather(
            self._gateway.rows.get(PROJECTS, identity),
            self._part(ENVIRONMENTS, identity, Environments()),
            self._part(VARIABLES, identity, Variables()),
        )
        return ProjectState(
            identity,
            last,
            None if project is None else project.row,
            0 if project is None else project.sequence,
            environments,
            environments_sequence,
            variables,
            variables_sequence,
        )

    async def _part(self, projection: Projection[RowT], key: ProjectId, empty: RowT) -> tuple[RowT, int]:
        found = await self._gateway.rows.get(projection, key)
        return (empty, 0) if found is None else (found.row, found.sequence)
