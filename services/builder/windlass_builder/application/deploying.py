"""The builder's main work: from a request to running containers, resumed where a crash cut it short."""

import asyncio
import hashlib
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from time import monotonic

from windlass_builder.application.build_log import BuildLog
from windlass_builder.application.containers import Containers, node_limits
from windlass_builder.application.engine_away import engine_may_be_away
from windlass_builder.application.failures import (
    DEPLOYMENT_ERRORS,
    UnknownRunnerError,
    UnsupportedSourceError,
    failure,
)
from windlass_builder.application.interruption import DeploymentEndedError, unless_ended
from windlass_builder.application.journal import Journal
from windlass_builder.application.projections import DEPLOYMENTS
from windlass_builder.application.source import GitFailedError, SourceFetcher, SourceLocation, SourceTimedOutError
from windlass_builder.domain.deployment import Deployment
from windlass_builder.domain.detection import Listing, detect, start_command
from windlass_builder.domain.workloads import BuildStep, Release, ReleaseSpec
from windlass_contracts.events import BuildStarted, BuildSucceeded
from windlass_contracts.events.deployment import GitSource, Recipe
from windlass_contracts.ids import DeploymentId
from windlass_eventlog.appender import Appender
from windlass_eventlog.failpoints import reach
from windlass_eventlog.logs.port import DeploymentLog, LogStore
from windlass_eventlog.logs.redaction import Redaction
from windlass_eventlog.logs.writer import LogWriter
from windlass_eventlog.reactor import WakeUp


@dataclass(slots=True)
class Deploying:
    """Builds what was requested and starts it; a bounded number of builds at once."""

    append: Appender
    containers: Containers
    sources: SourceFetcher
    list_root: Callable[[Path], Awaitable[Listing]]
    logs: LogStore
    slots: asyncio.Semaphore
    _told: dict[DeploymentId, BuildLog] = field(default_factory=dict)

    async def handle(self, wake: WakeUp) -> None:
        """Take a requested deployment as far as its containers, or to its failure."""
        identity = DeploymentId(wake.recorded.key.id)
        found = await self.containers.rows.get(DEPLOYMENTS, identity)
        if found is None or not self._unfinished(identity, found.row):
            return
        journal = Journal.of(self.append, found, wake.recorded)
        try:
            with engine_may_be_away():
                await unless_ended(self.containers.rows, identity, self._deploy(journal, found.row))
        except DeploymentEndedError:
            return
        except DEPLOYMENT_ERRORS as error:
            told = self._told.get(identity)
            await journal.add(failure(error, None if told is None else told.end))
        finally:
            self._told.pop(identity, None)

    def _unfinished(self, identity: DeploymentId, row: Deployment) -> bool:
        """Tell whether some replica was never started; one that ended since is none of ours."""
        if not row.phase.cancelable:
            return False
        known = {container.name for container in row.containers}
        return not known.issuperset(self.containers.names(identity, row))

    async def _deploy(self, journal: Journal, row: Deployment) -> None:
        identity = DeploymentId(journal.key.id)
        if row.release is None or row.recipe is None:
            async with self.slots:
                release, recipe = await self._build(journal, row)
        else:
            release, recipe = row.release, row.recipe
        async with self.containers.alone_with(identity) as found:
            if found is not None:
                await self.containers.start_all(journal, found.row, release, start_command(recipe))

    async def _build(self, journal: Journal, row: Deployment) -> tuple[str, Recipe]:
        if not isinstance(row.source, GitSource):
            raise UnsupportedSourceError(row.source.kind)
        began = monotonic()
        variables = await self.containers.variables(row)
        log, source = DeploymentLog.of(journal.key), f"build-{row.attempt + 1}"
        with tempfile.TemporaryDirectory(dir=self.containers.node.scratch) as scratch:
            archive = Path(scratch, "source.tar")
            async with LogWriter(self.logs, log, source, Redaction(variables.values())) as writer:
                told = self._told[log.deployment] = BuildLog(writer, source, self.append.clock)
                commit = await self._fetched_in_time(journal, row, row.source, archive)
                recipe = await asyncio.to_thread(detect, row.config, await self.list_root(archive))
                await told.say_plan(recipe)
                spec = self._specification(row, commit, recipe, variables)
                release = await self.containers.runtime.build(spec, archive, told)
                reach("after_build", "release")
                await told.say("The release was there already." if release.cache_hit else "The release is made.")
        return await self._built(journal, release, recipe, began)

    async def _fetched_in_time(self, journal: Journal, row: Deployment, source: GitSource, archive: Path) -> str:
        limit = timedelta(seconds=row.config.deadlines.fetch_s)
        try:
            async with asyncio.timeout(limit.total_seconds()):
                return await self._fetch(journal, row, source, archive)
        except TimeoutError as error:
            raise SourceTimedOutError(source.repository, limit) from error
        except GitFailedError as error:
            await self._told[DeploymentId(journal.key.id)].say(error.detail)
            raise

    async def _fetch(self, journal: Journal, row: Deployment, source: GitSource, archive: Path) -> str:
        """Bring the source here; the commit is fixed before anything is done with it, for all attempts."""
        commit = row.commit or await self.sources.resolve(source.repository, source.ref or "HEAD")
        attempt = row.attempt + 1
        await journal.add(BuildStarted(node=self.containers.node.name, attempt=attempt, commit=commit), str(attempt))
        told = self._told[DeploymentId(journal.key.id)]
        await told.say(f"Fetching commit {commit[:12]} from {source.repository}.")
        await self.sources.fetch(SourceLocation(source.repository, row.config.root or "."), commit, archive)
        return commit

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

    def _specification(self, row: Deployment, commit: str, recipe: Recipe, variables: dict[str, str]) -> ReleaseSpec:
        node = self.containers.node
        if recipe.runner not in node.runners:
            raise UnknownRunnerError(recipe.runner, tuple(sorted(node.runners)))
        step = None
        if recipe.build_command is not None:
            versions = ",".join(sorted(f"{variable.name}={variable.secret}" for variable in row.variables))
            step = BuildStep(
                command=recipe.build_command,
                environment=variables,
                environment_version=hashlib.sha256(versions.encode()).hexdigest() if versions else "",
                limits=node_limits(row.config.build_limits),
                disk=node.build_disk_bytes,
                timeout=timedelta(seconds=row.config.deadlines.build_s),
            )
        root = row.config.root or "."
        return ReleaseSpec(
            project=row.project, runner=node.runners[recipe.runner], revision=commit, root=root, step=step
        )
