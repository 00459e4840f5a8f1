"""Whether the node runs what the log says, and nothing else that bears this installation's label."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from windlass_builder.application.containers import Containers
from windlass_builder.application.projections import DEPLOYMENTS, ROUTES
from windlass_builder.application.runtime_errors import EngineError
from windlass_builder.domain.deployment import Container, ContainerState, Deployment
from windlass_builder.domain.workloads import Created, Exited, Paused, Restarting, Runner, Running
from windlass_contracts.lifecycle import Phase
from windlass_eventlog.errors import CannotVerifyError
from windlass_eventlog.operations import Checked, Finding, Invariant, Report
from windlass_eventlog.operations.verifying import Check, Looked
from windlass_eventlog.projection import Versioned

_REPLACED = "The builder replaces what is missing when it starts: restart it, and see its log."
_REMOVED = "The builder removes what is not wanted when it starts: restart it, and see its log."


@dataclass(frozen=True, slots=True)
class VerifyingNode:
    """Compares the rows with the engine, which is asked for this installation's own runners alone."""

    containers: Containers

    def checks(self) -> list[Check]:
        return [Check("asks the engine what runs", self._look)]

    async def _look(self, report: Report) -> Looked:
        del report
        runners = {runner.name: runner for runner in await self._runners()}
        occupied = await self.containers.rows.find(DEPLOYMENTS, {"occupied": True})
        findings = [*_of_containers(occupied, runners, self.containers.node.name)]
        findings += [one for one in [await self._orphan(runner) for runner in runners.values()] if one is not None]
        findings += await self._of_live()
        count = sum(len(found.row.present) for found in occupied)
        checked = [
            Checked(invariant=Invariant.RUNNING, what="containers of the log", count=count),
            Checked(invariant=Invariant.RUNNING, what="runners of the engine", count=len(runners)),
        ]
        return Looked(checked, findings)

    async def _runners(self) -> list[Runner]:
        try:
            return list(await self.containers.runtime.runners())
        except EngineError as error:
            msg = f"What runs cannot be compared with the log: {error}"
            raise CannotVerifyError(msg) from error

    async def _orphan(self, runner: Runner) -> Finding | None:
        """Return what is wrong with a runner that the log does not want; one that ended only waits to be swept."""
        if isinstance(runner.state, Exited | Created):
            return None
        found = await self.containers.rows.get(DEPLOYMENTS, runner.deployment)
        container = None if found is None else found.row.container(runner.name)
        if found is not None and found.row.runs_before_start(runner.name):
            return None
        if await self.containers.runs_once(runner.name):
            return None
        if container is not None and container.state is not ContainerState.STOPPED:
            return None
        what = f"It runs for deployment {runner.deployment}, but the log does not want it to."
        return Finding.of(Invariant.RUNNING, "orphan", f"container {runner.name}", what, _REMOVED)

    async def _of_live(self) -> list[Finding]:
        """Return the deployments that addresses point at, and that have too few containers."""
        found = [key for routes in await self.containers.rows.find(ROUTES, {}) for key in routes.row.aliases.values()]
        rows = await self.containers.rows.get_all(DEPLOYMENTS, dict.fromkeys(found))
        return [
            Finding.of(
                Invariant.RUNNING,
                "too-few",
                f"deployment {key}",
                f"An address points at it, and {_count(row)} of its {row.replicas} containers run.",
                _REPLACED,
            )
            for key, row in ((key, one.row) for key, one in rows.items())
            if row.phase is Phase.LIVE and row.replica_set.missing
        ]


def _count(row: Deployment) -> int:
    """Return how many of the wanted containers run."""
    return row.replicas - len(row.replica_set.missing)


def _of_containers(
    occupied: list[Versioned[Deployment]], runners: Mapping[str, Runner], node: str
) -> Iterator[Finding]:
    for found in occupied:
        for container in found.row.present:
            if container.node == node and (wrong := _wrong(container, runners.get(container.name))) is not None:
                code, what = wrong
                where = f"container {container.name}"
                yield Finding.of(Invariant.RUNNING, code, where, f"{what} It is deployment {found.key}.", _REPLACED)


def _wrong(container: Container, runner: Runner | None) -> tuple[str, str] | None:
    """Return a code and a sentence for a container that is not as the log says."""
    if runner is None:
        return "missing", f"The log says that it is {container.state}, but the engine has no such container."
    match runner.state:
        case Running() | Restarting() if container.state is ContainerState.PAUSED:
            return "not-paused", "The log says that it is paused, but it runs."
        case Paused() if container.state is ContainerState.RUNNING:
            return "paused", "It should run, but stands still."
        case Exited() | Created():
            return "stopped", f"The log says that it is {container.state}, but it is stopped."
        case _:
            pass
    said = f"{container.address}:{container.port}"
    if str(runner.address) != said:
        return (
            "elsewhere",
            f"The log says that it answers at {said} in its project's network; it is at {runner.address}.",
        )
    return None
