"""`/events`: the log itself, the latest first, live."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Response

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event, published_events
from windlass_contracts.ids import DeploymentId, TeamId
from windlass_contracts.subjects import Aggregate
from windlass_gateway.application.looking_back import look_back
from windlass_gateway.application.projections import ENVIRONMENTS, PROJECTS
from windlass_gateway.entrypoints.context import Context
from windlass_gateway.entrypoints.event_filter import EventFilter, unversioned
from windlass_gateway.entrypoints.pages.event_words import Change, changes, sentence
from windlass_gateway.entrypoints.pages.lines import by, person_of
from windlass_gateway.entrypoints.pages.rendering import part
from windlass_gateway.entrypoints.pages.visiting import AVisit
from windlass_gateway.entrypoints.streams import EventView

router = APIRouter(prefix="/events", include_in_schema=False)

_ON_A_PAGE = 50
_MOST_PROJECTS = 500


@dataclass(frozen=True, slots=True)
class EventShown:
    """An event in words, and whole, as JSON."""

    sequence: int
    time: datetime
    by: str
    sentence: str
    changes: Sequence[Change]
    type: str
    project: str | None
    deployment: DeploymentId | None
    json: str


@router.get("")
async def show_events(
    visit: AVisit,
    project: Annotated[str, Query(max_length=100)] = "",
    type: Annotated[str, Query(max_length=100)] = "",  # noqa: A002 - the parameter's public name
    before: Annotated[int | None, Query(ge=1, le=2**53, description="only those below this sequence")] = None,
) -> Response:
    """Show the latest events, or those before one."""
    place = await visit.place()
    wanted = await EventFilter.of(visit.finder, project or None, [type] if type else None)
    end = place.sequence + 1 if before is None else min(before, place.sequence + 1)
    looked = await look_back(visit.gateway.log, end, wanted.holds, _ON_A_PAGE)
    chosen = {name: value for name, value in (("project", project), ("type", type)) if value}
    projects = await visit.finder.rows.find(PROJECTS, {"team": visit.finder.team}, limit=_MOST_PROJECTS)
    return visit.render(
        "pages/events.html",
        events=await events_shown(visit.shared, looked.events),
        place=None if before is not None else place,
        view=f"events?{urlencode(chosen)}" if chosen else "events",
        older=f"/events?{urlencode({**chosen, 'before': looked.until + 1})}" if looked.until > 0 else None,
        until=looked.until,
        newest=f"/events?{urlencode(chosen)}",
        project=project,
        type=type,
        projects=sorted(one.row.slug for one in projects),
        types=sorted({unversioned(name) for name in published_events()}),
    )


async def live(shared: Context, team: TeamId, recorded: Recorded[Event]) -> str:
    """Render an event before those that are there."""
    if recorded.team != team:
        return ""
    (event,) = await events_shown(shared, [recorded])
    return f'<hx-partial hx-target="#events" hx-swap="afterbegin">{part("parts/event.html", event=event)}</hx-partial>'


async def events_shown(shared: Context, events: Sequence[Recorded[Event]]) -> list[EventShown]:
    """Load the names that belong to events."""
    rows = shared.gateway.rows
    keys = {one.key.project for one in events if one.key.project is not None}
    projects = {key: found.row.slug for key, found in (await rows.get_all(PROJECTS, keys)).items()}
    environments: dict[UUID, str] = {
        environment.id: environment.name
        for found in (await rows.get_all(ENVIRONMENTS, keys)).values()
        for environment in found.row.all
    }
    people = {person_of(one.metadata.actor) for one in events} - {None}
    names = await shared.gateway.personal.names([one for one in people if one is not None])
    return [_shown(one, projects, environments, names) for one in events]


def _shown(
    recorded: Recorded[Event],
    projects: Mapping[UUID, str],
    environments: Mapping[UUID, str],
    names: Mapping[UUID, str],
) -> EventShown:
    key = recorded.key
    return EventShown(
        sequence=recorded.sequence,
        time=recorded.metadata.time,
        by=by(recorded.metadata.actor, names),
        sentence=sentence(recorded.event, environments),
        changes=changes(recorded.event),
        type=unversioned(recorded.event.TYPE),
        project=None if key.project is None else projects.get(key.project),
        deployment=DeploymentId(key.id) if key.aggregate is Aggregate.DEPLOYMENT else None,
        json=json.dumps(
            EventView.of(recorded).model_dump(mode="json", exclude_none=True), indent=2, ensure_ascii=False
        ),
    )
