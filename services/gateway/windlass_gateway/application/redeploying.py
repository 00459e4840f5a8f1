"""The use cases about what exists already: deploy a project again by a ref, or a deployment's commit once more."""

from dataclasses import dataclass
from uuid import UUID

from windlass_contracts.events.deployment import GitSource, UploadSource
from windlass_contracts.ids import DeploymentId
from windlass_eventlog.projection import Versioned
from windlass_gateway.application.access import Caller, Permission
from windlass_gateway.application.deploying import Deploying, DeployRequest, Requested
from windlass_gateway.application.finding import Finder
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.application.projections import VARIABLES
from windlass_gateway.application.stored import absent
from windlass_gateway.application.uploads import Uploads
from windlass_gateway.domain.deployment import Deployment
from windlass_gateway.domain.environments import PRODUCTION, Environment
from windlass_gateway.domain.redeploying import repeated_source
from windlass_gateway.domain.refusals import (
    EnvironmentNotFoundError,
    NoRepositoryError,
    ProjectNotFoundError,
    ValueShreddedError,
)
from windlass_gateway.domain.repository import git_source


@dataclass(frozen=True, slots=True)
class ProjectDeploy:
    """A ref or a commit of an existing project's repository, to be deployed; without one, its default branch."""

    key: str
    trigger: str
    project: str
    ref: str | None = None
    environment: str = PRODUCTION


@dataclass(frozen=True, slots=True)
class Redeploying:
    """Requests deployments of what the gateway knows."""

    gateway: Gateway

    async def deploy_project(self, caller: Caller, request: ProjectDeploy) -> Requested:
        """Return once the request is durable.

        Raises:
            Refusal: there is no such project, or it has no repository.
            EventLogError: the log did not take it.
        """
        caller.demand(Permission.DEPLOY)
        project = await self._finder(caller).project(request.project)
        if project.row.repository is None:
            raise NoRepositoryError(project.row.slug)
        source = git_source(project.row.repository, request.ref)
        wanted = DeployRequest(
            key=request.key,
            trigger=request.trigger,
            source=source,
            project=project.row.slug,
            environment=request.environment,
        )
        return await Deploying(self.gateway).deploy(caller, wanted)

    async def redeploy(self, caller: Caller, written: str, key: str) -> Requested:
        """Deploy the commit of a deployment again, with the project's configuration and variables of now.

        Raises:
            Refusal: there is no such deployment, it was made of no repository, or a variable's value is gone.
            EventLogError: the log did not take it.
        """
        caller.demand(Permission.DEPLOY)
        finder = self._finder(caller)
        found = await finder.deployment(written)
        source = repeated_source(found.row)
        if isinstance(source, UploadSource):
            await Uploads(self.gateway).check(source)
        request = await self._repeated(finder, found, key, source)
        return await Deploying(self.gateway).deploy(caller, request)

    async def _repeated(
        self, finder: Finder, found: Versioned[Deployment], key: str, source: GitSource | UploadSource
    ) -> DeployRequest:
        project = await finder.project_by_id(found.row.project)
        if project is None:
            raise ProjectNotFoundError(str(found.row.project))
        environment = (await finder.environments(found.row.project)).by_id(found.row.environment)
        if environment is None:
            raise EnvironmentNotFoundError(project.row.slug, str(found.row.environment))
        await self._check_values(project.key, environment)
        return DeployRequest(
            key=key,
            trigger="redeploy",
            source=source,
            project=project.row.slug,
            environment=environment.name,
            based_on=DeploymentId(found.key),
            author=found.row.author,
            note=found.row.note,
        )

    async def _check_values(self, project: UUID, environment: Environment) -> None:
        """Refuse what would fail anyway: a variable is set, and its value is not there."""
        variables = await self.gateway.rows.get(VARIABLES, project)
        versions = () if variables is None else variables.row.versions(environment.id)
        gone = await absent(self.gateway.vault, (version.secret for version in versions))
        names = [version.name for version in versions if version.secret in gone]
        if names:
            raise ValueShreddedError(
                "The deployment",
                names,
                field="deployment",
                next_step="Set it anew with `windlass env set`, or unset it.",
            )

    def _finder(self, caller: Caller) -> Finder:
        return Finder(self.gateway.rows, caller.team)
