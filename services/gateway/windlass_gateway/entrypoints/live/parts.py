"""What each view renders: the same template parts as its page, each put in place of the one that is there."""

from uuid import UUID

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.ids import TeamId
from windlass_gateway.application.finding import Finder
from windlass_gateway.entrypoints.context import Context
from windlass_gateway.entrypoints.pages.rendering import in_place, part
from windlass_gateway.entrypoints.shown import Shown


async def deployment(shared: Context, team: TeamId, identity: UUID) -> str:
    """Render a deployment."""
    finder = Finder(shared.gateway.rows, team)
    shown = await Shown(finder, shared.places).deployment(await finder.deployment(identity.hex))
    return in_place("deployment-status", "parts/deployment-status.html", deployment=shown)


async def event(recorded: Recorded[Event]) -> str:
    """Render one line of the log, before those that are there."""
    line = part("parts/event.html", sequence=recorded.sequence, type=recorded.event.TYPE)
    return f'<hx-partial hx-target="#events" hx-swap="afterbegin">{line}</hx-partial>'
