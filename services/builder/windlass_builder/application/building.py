"""From a requested deployment to its release, with a log of what was done."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from time import monotonic

from windlass_builder.application.build_log import BuildLog
from windlass_builder.application.containers import Containers, node_limits
from windlass_builder.application.failures import UnknownRunnerError
from windlass_builder.application.fetching import Fetching
from windlass_builder.application.journal import Journal
from windlass_builder.application.locks import deleting
from windlass_builder.application.runtime_errors import BuildTimedOutError, ReleaseChangedError
from windlass_builder.application.workspace import workspace
from windlass_builder.domain.deployment import Deployment
from windlass_builder.domain.detection import DOCKERFILE, IMAGE, Listing, dependencies, detect
from windlass_builder.domain.images import registry_of
from windlass_builder.domain.workloads import (
    BuildStep,
    DependencyLayer,
    DockerfileSpec,
    Login,
    ReadyImageSpec,
    Release,
    ReleaseSpec,
)
from windlass_contracts.events import BuildSucceeded
from windlass_contracts.events.deployment import ImageSource, LogRange, Recipe
from windlass_contracts.ids import DeploymentId
from windlass_contracts.subjects import AggregateKey
from windlass_eventlog.clock import Clock
from windlass_eventlog.failpoints import reach
from windlass_eventlog.logs.port import DeploymentLog, LogStore
from windlass_eventlog.logs.redaction import Redaction
from windlass_eventlog.logs.writer import LogWriter


@dataclass(slots=True)
class Building:
    """Makes releases, and remembers what each deployment was told meanwhile, for whoever has to say why it failed."""

    containers: Containers
    fetching: Fetching
    list_root: Callable[[Path], Awaitable[Listing]]
    logs: LogStore
    clock: Clock
    _told: dict[DeploymentId, BuildLog] = field(default_factory=dict)

    @contextmanager
    def telling(self, deployment: DeploymentId) -> Iterator[Callable[[], LogRange | None]]:
        """Give the last lines of what is built for the deployment within."""
        try:
            yield lambda: told.end if (told := self._told.get(deployment)) is not None else None
        finally:
            self._told.pop(deployment, None)

    async def build(self, journal: Journal, row: Deployment) -> tuple[str, Recipe]:
        """Return the release and how it starts, once the log knows both.

        Raises: SourceError, BuildError, and what else is among DEPLOYMENT_ERRORS.
        """
        began = monotonic()
        variables = await self.containers.variables(row)
        await self.containers.runtime.prepare(row.project)  # an engine that is away is met before a build is begun
        log, source = DeploymentLog.of(journal.key), f"build-{row.attempt + 1}"
        with workspace(self.containers.node.scratch) as folder:
            archive = folder / "source.tar"
            async with LogWriter(self.logs, log, source, Redaction(variables.values())) as writer:
                told = self._told[log.deployment] = BuildLog(writer, source, self.clock)
                revision = await self.fetching.fetch(journal, row, told, archive)
                # From now on the log says that the project builds: what was being deleted is gone, and no more goes.
                async with self.containers.node.locks.alone(deleting(row.project)):
                    pass
                if isinstance(row.source, ImageSource):
                    recipe, release = await self._take(row, row.source, told)
                else:
                    recipe, release = await self._make(row, revision, variables, archive, told)
                reach("after_build", "release")
                await told.say("The release was there already." if release.cache_hit else "The release is made.")
        return await self._built(journal, release, recipe, began)

    async def again(self, key: AggregateKey, row: Deployment) -> None:
        """Make the release of a deployment once more, which was built and is not on this node any more.

        Raises: ReleaseChangedError, and what `build` raises.
        """
        variables = await self.containers.variables(row)
        source = f"build-{row.attempt}"
        with workspace(self.containers.node.scratch) as folder:
            archive = folder / "source.tar"
            async with LogWriter(self.logs, DeploymentLog.of(key), source, Redaction(variables.values())) as writer:
                told = BuildLog(writer, source, self.clock)
                await told.say("The release was removed from this machine: it is made once more, from the same source.")
                revision = await self.fetching.again(row, archive)
                if isinstance(row.source, ImageSource):
                    _, release = await self._take(row, row.source, told)
                else:
                    _, release = await self._make(row, revision, variables, archive, told)
                if release.reference != row.release:
                    changed = ReleaseChangedError(row.release or "")
                    await told.say(str(changed))
                    raise changed
                await told.say("The release is made.")

    async def _take(self, row: Deployment, source: ImageSource, told: BuildLog) -> tuple[Recipe, Release]:
        """Fetch a ready image with what the project has for its registry."""
        recipe = Recipe(runner=IMAGE, start_command=row.config.start_command, detected_by="image")
        login = (await self.fetching.opening.of(row.project)).registries.get(registry_of(source.reference))
        given = None if login is None else Login(user=login.user, password=login.password)
        await told.say(f"Fetching the image {source.reference}, which is {source.digest}.")
        spec = ReadyImageSpec(project=row.project, reference=source.reference, digest=source.digest, login=given)
        limit = timedelta(seconds=row.config.deadlines.build_s)
        try:
            async with asyncio.timeout(limit.total_seconds()):
                return recipe, await self.containers.runtime.take_image(spec, told)
        except TimeoutError as error:
            raise BuildTimedOutError(limit) from error

    async def _make(
        self, row: Deployment, revision: str, variables: dict[str, str], archive: Path, told: BuildLog
    ) -> tuple[Recipe, Release]:
        """Make the release of a source: by its own Dockerfile, or on a runner."""
        node, listing = self.containers.node, await self.list_root(archive)
        recipe = await asyncio.to_thread(detect, row.config, listing, images=DOCKERFILE in node.runners)
        await told.say_plan(recipe)
        if recipe.runner == DOCKERFILE:
            image = await self._dockerfile(row, revision, variables)
            return recipe, await self.containers.runtime.build_image(image, archive, told)
        spec = self._specification(row, revision, recipe, variables)
        if row.config.build_command is None:
            spec = _layered(spec, listing)
        return recipe, await self.containers.runtime.build(spec, archive, told)

    async def _dockerfile(self, row: Deployment, revision: str, variables: dict[str, str]) -> DockerfileSpec:
        access = await self.fetching.opening.of(row.project)
        return DockerfileSpec(
            project=row.project,
            revision=revision,
            root=row.config.root or ".",
            dockerfile=row.config.dockerfile or "Dockerfile",
            secrets=variables,
            environment_version=_environment_version(row),
            logins={host: Login(user=login.user, password=login.password) for host, login in access.registries.items()},
            disk=self.containers.node.build_disk_bytes,
            timeout=timedelta(seconds=row.config.deadlines.build_s),
        )

    async def _built(self, journal: Journal, release: Release, recipe: Recipe, began: float) -> tuple[str, Recipe]:
        event = BuildSucceeded(
            node=self.containers.node.name,
            release=release.reference,
            digest=release.digest,
            recipe=recipe,
            cache_hit=release.cache_hit,
            duration_ms=round((monotonic() - began) * 1_000),
        )
        await journal.add(event)
        return release.reference, recipe

    def _specification(self, row: Deployment, revision: str, recipe: Recipe, variables: dict[str, str]) -> ReleaseSpec:
        node = self.containers.node
        if recipe.runner not in node.runners:
            raise UnknownRunnerError(recipe.runner, tuple(sorted(node.runners)))
        step = None
        if recipe.build_command is not None:
            step = BuildStep(
                command=recipe.build_command,
                environment=variables,
                environment_version=_environment_version(row),
                limits=node_limits(row.config.build_limits),
                disk=node.build_disk_bytes,
                timeout=timedelta(seconds=row.config.deadlines.build_s),
            )
        root = row.config.root or "."
        return ReleaseSpec(
            project=row.project, runner=node.runners[recipe.runner], revision=revision, root=root, step=step
        )


def _environment_version(row: Deployment) -> str:
    versions = ",".join(sorted(f"{variable.name}={variable.secret}" for variable in row.variables))
    return hashlib.sha256(versions.encode()).hexdigest() if versions else ""


def _layered(spec: ReleaseSpec, listing: Listing) -> ReleaseSpec:
    """Return the specification with what its detected command installs as a layer of its own, where that can be."""
    found = None if spec.step is None else dependencies(spec.step.command, listing)
    if spec.step is None or found is None:
        return spec
    layer = DependencyLayer(step=replace(spec.step, command=found.install), files=found.files)
    return replace(spec, layer=layer, step=None if found.rest is None else replace(spec.step, command=found.rest))
