"""What a node has of a project, beside what is known of it: by this it is judged what may go."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from windlass_builder.application.containers import Containers
from windlass_builder.application.projections import DEPLOYMENTS, RELEASES, ROUTES, RUNS, TURNS
from windlass_builder.domain.retention import UNREFERENCED, Project, Releases, Verdict, judge
from windlass_builder.domain.workloads import Kept
from windlass_contracts.ids import ProjectId, TeamId
from windlass_contracts.subjects import Aggregate, AggregateKey


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of a project and what this node has of it, at one moment; events are appended behind `after`."""

    key: AggregateKey
    after: int
    project: Project
    kept: Sequence[Kept]

    @property
    def verdict(self) -> Verdict:
        return judge(self.project, (one.reference for one in self.kept if not one.layer))

    @property
    def going(self) -> Iterable[tuple[Kept, str]]:
        """What may go, releases before the layers that they were built on, each with the rule that it falls under."""
        kept = {one.reference: one for one in self.kept}
        return [(kept[reference], why) for reference, why in self._rules().items()]

    def _rules(self) -> Mapping[str, str]:
        verdict = self.verdict
        used = {layer for one in self.kept if one.reference in verdict.stay for layer in one.on}
        layers = [one.reference for one in self.kept if one.layer and one.reference not in used]
        return {**verdict.go, **({} if self.project.builds else dict.fromkeys(layers, UNREFERENCED))}


@dataclass(frozen=True, slots=True)
class Looking:
    """Looks at a project by the log as it is now."""

    containers: Containers

    async def projects(self) -> Sequence[ProjectId]:
        """Return the projects that ever began a build: no other has anything on a node."""
        return [ProjectId(found.key) for found in await self.containers.rows.find(TURNS, {})]

    async def at(self, project: ProjectId) -> Found | None:
        """Return what there is of the project; None of one of which the log knows nothing.

        Raises: EngineError, LogUnavailableError, NotReachedError.
        """
        await self.containers.caught_up(await self.containers.head())
        rows = self.containers.rows
        deployments = {one.key: one.row for one in await rows.find(DEPLOYMENTS, {"project": project})}
        if not deployments:
            return None
        routes, releases = await rows.get(ROUTES, project), await rows.get(RELEASES, project)
        commands = {one.row.deployment for one in await rows.find(RUNS, {"project": project}) if not one.row.ended}
        return Found(
            key=_key(next(iter(deployments.values())).team, project),
            after=0 if releases is None else releases.sequence,
            project=Project(
                deployments=deployments,
                routes=None if routes is None else routes.row,
                commands=commands,
                releases=Releases() if releases is None else releases.row,
            ),
            kept=await self.containers.runtime.releases(project),
        )


def _key(team: TeamId, project: ProjectId) -> AggregateKey:
    return AggregateKey(team, project, Aggregate.RELEASES, project)
