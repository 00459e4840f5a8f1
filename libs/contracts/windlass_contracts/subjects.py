"""Subjects of the log: `evt.<service>.<team>.<project>.<aggregate>.<id>`.

The first token after `evt` says who appends, so that the server's permissions can hold each service to its own; team
and project tokens let a reader be granted one team and let one project be read alone. `_` stands in the place of the
project of what belongs to the team as a whole.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

from windlass_contracts.errors import MalformedSubjectError
from windlass_contracts.ids import DeploymentId, InspectionId, ProjectId, ReactionId, RunId, TeamId

STREAM = "EVENTS"
ALL_EVENTS = "evt.>"


class Service(StrEnum):
    """Who may append."""

    GATEWAY = "gateway"
    BUILDER = "builder"
    MONITOR = "monitor"
    ROUTER = "router"
    LOGS = "logs"


class Aggregate(StrEnum):
    """What is written with an expected sequence: two writers of the same one never both win."""

    PROJECT = "project"
    ENVIRONMENTS = "environments"
    VARIABLES = "variables"
    DEPLOYMENT = "deployment"
    ROUTES = "routes"
    RELEASES = "releases"
    INSPECTION = "inspection"
    TOKENS = "tokens"
    REACTION = "reaction"
    CREDENTIALS = "credentials"
    RUN = "run"
    DOMAINS = "domains"

    @property
    def of_team(self) -> bool:
        """Whether it belongs to a team as a whole, and to none of its projects."""
        return self in _OF_TEAM


_OF_TEAM = frozenset({Aggregate.INSPECTION, Aggregate.TOKENS, Aggregate.REACTION})
_NO_PROJECT = "_"


@dataclass(frozen=True, slots=True)
class AggregateKey:
    """One aggregate of one project of one team, or of the team as a whole: then it has no project."""

    team: TeamId
    project: ProjectId | None
    aggregate: Aggregate
    id: UUID

    def subject(self, service: Service) -> str:
        """Return where `service` appends its events about this aggregate."""
        return f"evt.{service}.{self._place}"

    @property
    def pattern(self) -> str:
        """The subjects of everybody's events about this aggregate: the scope of an expected sequence."""
        return f"evt.*.{self._place}"

    @property
    def _place(self) -> str:
        return f"{self.team}.{self.project or _NO_PROJECT}.{self.aggregate}.{self.id}"

    @classmethod
    def of_project(cls, team: TeamId, project: ProjectId, aggregate: Aggregate) -> "AggregateKey":
        """Return the aggregate of which each project has one: its environments, variables, credentials and others."""
        return cls(team, project, aggregate, project)

    @classmethod
    def of_deployment(cls, team: TeamId, project: ProjectId, deployment: DeploymentId) -> "AggregateKey":
        return cls(team, project, Aggregate.DEPLOYMENT, deployment)

    @classmethod
    def of_run(cls, team: TeamId, project: ProjectId, run: RunId) -> "AggregateKey":
        return cls(team, project, Aggregate.RUN, run)

    @classmethod
    def of_inspection(cls, team: TeamId, inspection: InspectionId) -> "AggregateKey":
        return cls(team, None, Aggregate.INSPECTION, inspection)

    @classmethod
    def of_tokens(cls, team: TeamId) -> "AggregateKey":
        """Return the aggregate of all API tokens of a team."""
        return cls(team, None, Aggregate.TOKENS, team)

    @classmethod
    def of_reaction(cls, team: TeamId, reaction: ReactionId) -> "AggregateKey":
        """Return the aggregate of one reaction that was given up."""
        return cls(team, None, Aggregate.REACTION, reaction)


PROJECT_REGISTRY = f"evt.*.*.*.{Aggregate.PROJECT}.*"
"""The scope in which projects are created: all projects of all teams, so that no two ever take the same slug."""

DOMAIN_REGISTRY = f"evt.*.*.*.{Aggregate.DOMAINS}.*"
"""The scope in which hosts are assigned: all projects of all teams, so that no two ever have the same one."""


def parse_subject(subject: str) -> tuple[Service, AggregateKey]:
    """Return who appended an event and what it is about.

    Raises:
        MalformedSubjectError: the subject is not one of the log's.
    """
    root, _, rest = subject.partition(".")
    service, _, place = rest.partition(".")
    if root != "evt" or service not in _SERVICES:
        raise MalformedSubjectError(subject)
    try:
        return _SERVICES[service], _key(place)
    except ValueError as error:
        raise MalformedSubjectError(subject) from error


_SERVICES = {service.value: service for service in Service}


# An aggregate comes again with each of its events, and reading its ids takes longer than reading a small event.
@lru_cache(maxsize=4_096)
def _key(place: str) -> AggregateKey:
    """Return the aggregate of the tokens behind the service."""
    team, project, kind, identity = place.split(".")
    aggregate = Aggregate(kind)
    return AggregateKey(
        TeamId(_canonical_uuid(team)), _project(project, aggregate), aggregate, _canonical_uuid(identity)
    )


def _project(token: str, aggregate: Aggregate) -> ProjectId | None:
    if not aggregate.of_team:
        return ProjectId(_canonical_uuid(token))
    if token != _NO_PROJECT:
        msg = f"{aggregate} belongs to no project"
        raise ValueError(msg)
    return None


@lru_cache(maxsize=4_096)  # a team, a project and an aggregate stand in many subjects
def _canonical_uuid(text: str) -> UUID:
    """Refuse the other spellings that UUID() takes: two subjects must never name one aggregate."""
    value = UUID(text)
    if str(value) != text:
        msg = f"{text} is not written as a canonical UUID"
        raise ValueError(msg)
    return value


def log_subject(team: TeamId, project: ProjectId, deployment: DeploymentId) -> str:
    """Return where the lines of a deployment's builds and containers go in the stream `LOGS`."""
    return f"log.{team}.{project}.{deployment}"
