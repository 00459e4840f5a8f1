"""`/deployments/{id}`: how a deployment goes or went, its log, and exactly what it is made of."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from windlass_contracts.ids import TeamId
from windlass_gateway.application.finding import Finder
from windlass_gateway.entrypoints.context import Context
from windlass_gateway.entrypoints.deployments import DeploymentRef
from windlass_gateway.entrypoints.pages.deployment_shown import deployment_shown
from windlass_gateway.entrypoints.pages.log_source import grows, most_relevant, source_log, telling_lines
from windlass_gateway.entrypoints.pages.log_window import window_around, window_at_end
from windlass_gateway.entrypoints.pages.rendering import in_place
from windlass_gateway.entrypoints.pages.visiting import AVisit

_LIVE = ("deployment-header", "deployment-now", "deployment-timeline", "deployment-details", "log-tabs")
"""The parts of the page that change, each in an element of its name."""

router = APIRouter(prefix="/deployments/{deployment}", include_in_schema=False)


@router.get("")
async def show_deployment(
    deployment: DeploymentRef, visit: AVisit, source: Annotated[str | None, Query(max_length=128)] = None
) -> Response:
    """Show a deployment, with the log of one source: by default the one that says most about how it stands."""
    place = await visit.place()
    found = await visit.finder.deployment(deployment)
    shown = await deployment_shown(visit.shared, visit.finder, found)
    log = source_log(visit.gateway.logs, found, source or most_relevant(found.row))
    telling = telling_lines(found.row, log.source)
    window = await (window_at_end(log) if telling is None else window_around(log, telling[0]))
    return visit.render(
        "pages/deployment.html",
        shown=shown,
        deployment=shown.id,
        source=log.source,
        window=window,
        shown_lines=telling,
        grows=grows(found.row, log.source),
        key=visit.gateway.fresh_id(),
        place=place,
    )


async def live(shared: Context, team: TeamId, identity: UUID) -> str:
    """Render what changes on the page."""
    finder = Finder(shared.gateway.rows, team)
    shown = await deployment_shown(shared, finder, await finder.deployment(identity.hex))
    return "".join(in_place(name, f"parts/{name}.html", shown=shown, source="") for name in _LIVE)
