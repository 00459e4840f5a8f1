"""What a node has of a project, beside what is known of it: by this it is judged what may go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from windlass_builder.application.containers import Containers
from windlass_builder.application.projections import DEPLOYMENTS, RELEASES, ROUTES, RUNS, TURNS
from windlass_builder.domain.belongings import Belonging, Thrift, spared
from windlass_builder.domain.retention import UNREFERENCED, Project, Releases, Verdict, judge
from windlass_builder.domain.workloads import Kept
from windlass_contracts.ids import ProjectId, TeamId
from windlass_contracts.subjects import Aggregate, AggregateKey


@dataclass(frozen=True, slots=True)
class Known:
    """What the log says of a project; events about what goes of it are appended behind `after`."""

    key: AggregateKey
    after: int
    project: Project


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of a project and what this node has of it, at one moment."""

    known: Known
    kept: Sequence[Kept]
    belongings: Sequence[Belonging]
    thrift: Thrift

    @property
    def project(self) -> Project:
        return self.known.project

    @property
    def verdict(self) -> Verdict:
        keeps = self.thrift.keeps(self.project.keeps)
        return judge(self.project, (one.reference for one in self.kept if not one.layer), keeps)

    @property
    def going(self) -> Sequence[tuple[Kept, str]]:
        """What may go, releases before the layers that they were built on, each with the rule that it falls under.

        For one that was retired that is the rule of then: it takes no place among the newest since.
        """
        kept = {one.reference: one for one in self.kept}
        of_then = dict(self.project.releases.owed)
        return [(kept[reference], of_then.get(reference, why)) for reference, why in self._rules().items()]

    @property
    def spared(self) -> Sequence[tuple[Belonging, str]]:
        """What else may go, each with its rule."""
        return list(spared(self.project, self.belongings, self.thrift))

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

    async def at(self, project: ProjectId, thrift: Thrift = Thrift.USUAL) -> Found | None:
        """Return what there is of the project; None of one of which the log knows nothing.

        Raises: EngineError, LogUnavailableError, NotReachedError.
        """
        await self.containers.caught_up(await self.containers.head())
        known = await self.known(project)
        if known is None:
            return None
        runtime = self.containers.runtime
        return Found(known, await runtime.releases(project), await runtime.belongings(project), thrift)

    async def known(self, project: ProjectId) -> Known | None:
        """Return what the rows say of the project; None of one of which they know nothing."""
        rows = self.containers.rows
        deployments = {one.key: one.row for one in await rows.find(DEPLOYMENTS, {"project": project})}
        if not deployments:
            return None
        routes, releases = await rows.get(ROUTES, project), await rows.get(RELEASES, project)
        commands = {one.row.deployment for one in await rows.find(RUNS, {"project": project}) if not one.row.ended}
        return Known(
            key=_key(next(iter(deployments.values())).team, project),
            after=0 if releases is None else releases.sequence,
            project=Project(
                deployments=deployments,
                routes=None if routes is None else routes.row,
                commands=commands,
                releases=Releases() if releases is None else releases.row,
            ),
        )


def _key(team: TeamId, project: ProjectId) -> AggregateKey:
    return AggregateKey(team, project, Aggregate.RELEASES, project)
