"""Deployments as lists and tiles show them: one line each, with the names that belong to it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from windlass_contracts.ids import DeploymentId, EnvironmentId, ProjectId
from windlass_contracts.lifecycle import Phase
from windlass_eventlog.projection import Versioned
from windlass_gateway.application.finding import Finder
from windlass_gateway.application.personal import Personal
from windlass_gateway.application.projections import DEPLOYMENTS, ENVIRONMENTS, PROJECTS, ROUTES
from windlass_gateway.domain.deployment import Deployment
from windlass_gateway.domain.environments import Environment, Environments
from windlass_gateway.domain.holding import is_live_beside
from windlass_gateway.domain.project import Project
from windlass_gateway.domain.restoring import was_taken_back
from windlass_gateway.domain.routes import Routes
from windlass_gateway.domain.sharing import rolled_out
from windlass_gateway.domain.timeline import total_ms
from windlass_gateway.entrypoints.pages.status import Look, look
from windlass_gateway.entrypoints.places import Places

_LONGEST_SUBJECT = 200
_PERSON = "person:"
_PUSH = "webhook"
SOMEBODY = "somebody"
"""Who was deleted, or whose name nobody told."""


@dataclass(frozen=True, slots=True)
class Line:
    """A deployment. `current`: its environment answers with it; `subject` is its commit's, `author` who wrote that."""

    id: DeploymentId
    project: str
    environment: str
    production: bool
    phase: Phase
    current: bool
    branch: str | None
    commit: str | None
    subject: str | None
    author: str | None
    by: str
    trigger: str
    requested_at: datetime
    live_at: datetime | None
    total_ms: int | None
    requested_sequence: int
    reason: str | None
    skipped: bool = False
    held_back: bool = False
    """Whether it is live at its own address while a rollback holds its environment."""
    taken_back: bool = False
    """Whether it failed soon after it went live, and gave way to the version before."""
    share: int | None = None
    """The percentage of an environment's requests that it gets beside what has the environment."""

    @property
    def look(self) -> Look:
        """How it stands: icon and word."""
        return look(
            self.phase,
            current=self.current,
            skipped=self.skipped,
            share=self.share,
            held_back=self.held_back,
            taken_back=self.taken_back,
        )

    @property
    def ended(self) -> bool:
        return self.phase.ended

    @property
    def cancelable(self) -> bool:
        return self.phase.cancelable


@dataclass(frozen=True, slots=True)
class Around:
    """A project with what belongs to it."""

    project: Versioned[Project]
    environments: Environments
    routes: Routes

    @property
    def slug(self) -> str:
        return self.project.row.slug

    @property
    def production(self) -> Environment | None:
        return next((one for one in self.environments.all if one.production), None)

    def current(self, environment: EnvironmentId) -> DeploymentId | None:
        """Return the deployment that the environment answers with."""
        alias = self.routes.alias_of(environment)
        return None if alias is None else alias.current

    def url(self, environment: EnvironmentId, places: Places) -> str | None:
        """Return where the environment answers; None where nothing was ever live."""
        alias = self.routes.alias_of(environment)
        return None if alias is None or alias.current is None else places.of_alias(alias)


@dataclass(frozen=True, slots=True)
class Lines:
    """Loads deployments and projects with all that is shown of them, in few queries."""

    finder: Finder
    personal: Personal
    places: Places

    async def around(self, projects: Sequence[Versioned[Project]]) -> dict[UUID, Around]:
        """Return the surroundings of projects, by id."""
        keys = [one.key for one in projects]
        environments = await self.finder.rows.get_all(ENVIRONMENTS, keys)
        routes = await self.finder.rows.get_all(ROUTES, keys)
        return {
            one.key: Around(
                one,
                environments[one.key].row if one.key in environments else Environments(),
                routes[one.key].row if one.key in routes else Routes(team=one.row.team, project=ProjectId(one.key)),
            )
            for one in projects
        }

    async def by_id(self, ids: Iterable[DeploymentId], around: Mapping[UUID, Around]) -> dict[DeploymentId, Line]:
        """Return those deployments that exist in the projects, by id."""
        found = await self.finder.rows.get_all(DEPLOYMENTS, ids)
        lines = await self.of([one for one in found.values() if one.row.project in around], around)
        return {line.id: line for line in lines}

    async def of(self, found: Sequence[Versioned[Deployment]], around: Mapping[UUID, Around]) -> list[Line]:
        """Return a line for each deployment, in order."""
        actors = {one.key: person_of(one.row.actor) for one in found}
        people = [one.row.author for one in found if one.row.author is not None]
        names = await self.personal.names([*people, *(actor for actor in actors.values() if actor is not None)])
        texts = await self.personal.texts([one.row.note for one in found if one.row.note is not None])
        return [_line(one, around[one.row.project], names, texts) for one in found]

    async def around_deployments(self, found: Iterable[Versioned[Deployment]]) -> dict[UUID, Around]:
        """Return the surroundings of all projects that the deployments belong to."""
        projects = await self.finder.rows.get_all(PROJECTS, {one.row.project for one in found})
        return await self.around([one for one in projects.values() if one.row.team == self.finder.team])


def person_of(actor: str) -> UUID | None:
    return UUID(actor.removeprefix(_PERSON)) if actor.startswith(_PERSON) else None


def _line(found: Versioned[Deployment], around: Around, names: Mapping[UUID, str], texts: Mapping[UUID, str]) -> Line:
    row = found.row
    identity = DeploymentId(found.key)
    environment = around.environments.by_id(row.environment)
    share = rolled_out(around.environments, around.routes, identity)
    return Line(
        id=identity,
        project=around.slug,
        environment=str(row.environment) if environment is None else environment.name,
        production=environment is not None and environment.production,
        phase=row.phase,
        current=around.current(row.environment) == identity,
        branch=row.branch,
        commit=row.commit,
        subject=None if row.note is None else _first_line(texts.get(row.note, "")),
        author=None if row.author is None else names.get(row.author, SOMEBODY),
        by=by(row.actor, names) if row.trigger != _PUSH else "a push",
        trigger=row.trigger,
        requested_at=row.requested_at,
        live_at=row.moments.get(Phase.LIVE),
        total_ms=total_ms(row),
        requested_sequence=row.requested_sequence,
        reason=row.failure.reason if row.failure is not None else None,
        skipped=row.was_skipped,
        held_back=is_live_beside(environment, around.routes, identity, row),
        taken_back=was_taken_back(around.environments, around.routes, identity),
        share=None if share is None else share.percent,
    )


def by(actor: str, names: Mapping[UUID, str]) -> str:
    """Return who did something, in words: an actor is the opaque id of a person, a token, a webhook or a service."""
    person = person_of(actor)
    if person is not None:
        return names.get(person, SOMEBODY)
    kind, _, rest = actor.partition(":")
    return {"token": "an API token", "webhook": "a push", "service": f"the {rest}"}.get(kind, actor)


def repository_name(url: str | None) -> str | None:
    """Return a repository's address without what goes without saying."""
    return None if url is None else url.partition("://")[2].removesuffix(".git").removeprefix("git@")


def _first_line(text: str) -> str | None:
    """Return what fits in a line of a page: nobody's text makes a page long."""
    line = text.strip().partition("\n")[0]
    return line[:_LONGEST_SUBJECT] or None
