"""The registry of views: each one's name in addresses, which events touch it, and what is rendered then."""

from functools import partial
from uuid import UUID

from starlette.datastructures import QueryParams

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.ids import TeamId
from windlass_contracts.subjects import Aggregate
from windlass_eventlog.projection import Versioned
from windlass_gateway.application.access import Caller, Permission
from windlass_gateway.application.finding import Finder
from windlass_gateway.domain.project import Project
from windlass_gateway.domain.refusals import NotFoundError
from windlass_gateway.entrypoints.context import Context
from windlass_gateway.entrypoints.event_filter import EventFilter
from windlass_gateway.entrypoints.live.view import NODES, UPTIMES, EventsView, StateView, Topic, View, topics
from windlass_gateway.entrypoints.pages import dead_letters, deployment, events, new_project, project, projects


class ViewNotFoundError(NotFoundError):
    """No page watches that."""

    def __init__(self, path: str) -> None:
        super().__init__(f"There is no live view {path[:100]!r}.", next_step="Load the page anew.")


async def find_view(shared: Context, caller: Caller, path: str, query: QueryParams) -> View:
    """Return the view that a path names.

    Raises:
        NotFoundError: there is none, or not in the caller's team.
        ForbiddenError: they may not read.
        InvalidInputError: the filter of the events is none.
    """
    caller.demand(Permission.READ)
    finder = Finder(shared.gateway.rows, caller.team)
    match path.split("/"):
        case ["projects"]:
            return _projects(shared, caller.team)
        case ["projects", slug, *tiles] if tiles in ([], ["tiles"]):
            return _project(shared, caller.team, await finder.project(slug), with_history=not tiles)
        case ["inspections", written]:
            inspected = await finder.inspection(_uuid(path, written))
            return _inspection(shared, caller.team, inspected.key)
        case ["deployments", written]:
            found = await finder.deployment(written)
            return _deployment(shared, caller.team, found.key, found.row.project)
        case ["dead-letters"]:
            return _dead_letters(shared, caller)
        case ["events"]:
            return _events(shared, await EventFilter.of(finder, query.get("project"), query.getlist("type")))
        case _:
            raise ViewNotFoundError(path)


def _projects(shared: Context, team: TeamId) -> View:
    touching = frozenset[Topic]({team, NODES, UPTIMES})
    return StateView(f"{team}/projects", touching, render=partial(projects.live, shared, team))


def _project(shared: Context, team: TeamId, found: Versioned[Project], *, with_history: bool) -> View:
    render = partial(project.live, shared, team, found.row.slug, with_history=with_history)
    parts = "all" if with_history else "tiles"
    return StateView(f"{team}/projects/{found.key}/{parts}", frozenset({found.key}), render=render)


def _inspection(shared: Context, team: TeamId, identity: UUID) -> View:
    touching = frozenset({(Aggregate.INSPECTION, identity)})
    return StateView(
        f"{team}/inspections/{identity}", touching, render=partial(new_project.live, shared, team, identity)
    )


def _uuid(path: str, written: str) -> UUID:
    try:
        return UUID(written)
    except ValueError as error:
        raise ViewNotFoundError(path) from error


def _deployment(shared: Context, team: TeamId, identity: UUID, project: UUID) -> View:
    """Who answers where, and which releases are left, is part of the page."""
    own = frozenset[Topic](
        {(Aggregate.DEPLOYMENT, identity), (Aggregate.ROUTES, project), (Aggregate.RELEASES, project)}
    )

    def wants(recorded: Recorded[Event]) -> bool:
        """Take every dead letter of the team: which deployment one is about is only known once it is looked up."""
        return recorded.key.aggregate is Aggregate.REACTION or not own.isdisjoint(topics(recorded))

    render = partial(deployment.live, shared, team, identity)
    return StateView(f"{team}/deployments/{identity}", own | {team}, wants=wants, render=render)


def _dead_letters(shared: Context, caller: Caller) -> View:
    """One for the whole team: who may not see them is refused before."""
    caller.demand(Permission.ADMINISTER)
    return StateView(
        f"{caller.team}/dead-letters",
        frozenset({caller.team}),
        wants=lambda recorded: recorded.key.aggregate is Aggregate.REACTION,
        render=partial(dead_letters.live, shared, caller),
    )


def _events(shared: Context, wanted: EventFilter) -> View:
    topic = wanted.project or wanted.team
    return EventsView(
        f"events/{wanted.name}",
        frozenset({topic}),
        wants=wanted.holds,
        render=partial(events.live, shared, wanted.team),
    )
