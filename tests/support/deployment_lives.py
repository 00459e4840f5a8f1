"""Whole lives of deployments as messages, made fast: each kind is encoded once, and copies get ids of their own."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from uuid import UUID, uuid4

from support.gateway_story import NOON, PRODUCTION, way_to_live
from windlass_contracts.cloudevent import Metadata, Proposed
from windlass_contracts.config import DeploymentConfig
from windlass_contracts.event import Event
from windlass_contracts.events import (
    AliasesChanged,
    ContainerStopped,
    EnvironmentCreated,
    ProjectCreated,
    RoutesApplied,
)
from windlass_contracts.events.routes import Alias, AliasMove
from windlass_contracts.ids import DeploymentId, EventId, ProjectId, TeamId
from windlass_contracts.subjects import Aggregate, AggregateKey
from windlass_eventlog.message import Message

INSTALLATION = "0a1b2c3d"
_TEAM, _PROJECT, _DEPLOYMENT, _EVENT, _FIRST, _BEFORE = (UUID(int=(number << 96) + 1) for number in range(7, 13))
_SLUG = "place-holder"
_AT_ONCE = 8
"""Deployments whose events lie between one another."""


@dataclass(frozen=True)
class Mould:
    """A message whose ids are placeholders."""

    subject: str
    headers: dict[str, str]
    body: str

    def cast(self, event: str, changes: dict[str, str]) -> Message:
        subject, body = self.subject, self.body.replace(str(_EVENT), event)
        for placeholder, value in changes.items():
            body = body.replace(placeholder, value)
            subject = subject.replace(placeholder, value)
        return Message(subject, {**self.headers, "Nats-Msg-Id": event}, body.encode())


def _mould(event: Event) -> Mould:
    project, deployment = ProjectId(_PROJECT), DeploymentId(_DEPLOYMENT)
    of_deployment = event.AGGREGATE is Aggregate.DEPLOYMENT
    key = (
        AggregateKey.of_deployment(TeamId(_TEAM), project, deployment)
        if of_deployment
        else AggregateKey.of_project(TeamId(_TEAM), project, event.AGGREGATE)
    )
    (service, *_) = sorted(event.APPENDED_BY)
    metadata = Metadata(EventId(_EVENT), NOON, f"service:{service}", correlation=EventId(_FIRST))
    message = Message.of(Proposed(service, key, event, metadata), INSTALLATION)
    return Mould(message.subject, dict(message.headers), message.body.decode())


@cache
def _life() -> tuple[Mould, ...]:
    alias = Alias(kind="environment", name=_SLUG, environment=PRODUCTION)
    move = AliasMove(alias=alias, before=DeploymentId(_BEFORE), after=DeploymentId(_DEPLOYMENT))
    told = way_to_live()
    changed = AliasesChanged(why="cutover", deployment=DeploymentId(_DEPLOYMENT), moves=(move,))
    applied = RoutesApplied(generation=7, proxies=("here",), duration_ms=12)
    stopped = ContainerStopped(node="here", container="run-1", why="retired")
    return tuple(_mould(event) for event in (*told[:-1], changed, applied, told[-1], stopped))


@cache
def _birth() -> tuple[Mould, ...]:
    created = ProjectCreated(slug=_SLUG, name=_SLUG, config=DeploymentConfig())
    return _mould(created), _mould(EnvironmentCreated(environment=PRODUCTION, name="production", production=True))


@dataclass
class _Project:
    team: str
    slug: str
    id: str
    current: str

    def told(self, moulds: tuple[Mould, ...], deployment: str) -> Iterator[Message]:
        events = [str(uuid4()) for _ in moulds]
        changes = {
            str(_TEAM): self.team,
            str(_PROJECT): self.id,
            _SLUG: self.slug,
            str(_FIRST): events[0],
            str(_DEPLOYMENT): deployment,
            str(_BEFORE): self.current,
        }
        for mould, event in zip(moulds, events, strict=True):
            yield mould.cast(event, changes)
        self.current = deployment


def lives(count: int, projects: int = 200) -> Iterator[Message]:
    """Yield that many messages: projects are created, and then deployed again and again, ten events each."""
    return islice(_endless(projects), count)


def _endless(count: int) -> Iterator[Message]:
    team = str(uuid4())
    projects = [_Project(team, f"shop-{number}", str(uuid4()), str(uuid4())) for number in range(count)]
    for project in projects:
        yield from project.told(_birth(), project.current)
    while True:
        for first in range(0, count, _AT_ONCE):
            told = [project.told(_life(), str(uuid4())) for project in projects[first : first + _AT_ONCE]]
            for step in zip(*told, strict=True):
                yield from step
