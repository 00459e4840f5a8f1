"""What a page's handler gets: the visitor, what they may look up, and the way to render for them."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from windlass_eventlog.dead_letters.letter import DEAD_LETTERS
from windlass_gateway.application.access import Caller, Permission
from windlass_gateway.application.dead_letters import MOST
from windlass_gateway.application.finding import Finder
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.entrypoints.access.visitor import AVisitor, Visitor
from windlass_gateway.entrypoints.audited import refused_for
from windlass_gateway.entrypoints.context import AContext, AtLeast, Context
from windlass_gateway.entrypoints.live.place import Place
from windlass_gateway.entrypoints.pages.lines import Lines
from windlass_gateway.entrypoints.pages.rendering import render
from windlass_gateway.entrypoints.problems import Problem


@dataclass(frozen=True, slots=True)
class Visit:
    """One request for a page, or from one."""

    request: Request
    visitor: Visitor
    shared: Context
    finder: Finder
    dead_letters: int = 0
    """How many wait for somebody, as far as the visitor may know."""

    @property
    def caller(self) -> Caller:
        return self.visitor.caller

    @property
    def gateway(self) -> Gateway:
        return self.shared.gateway

    @property
    def lines(self) -> Lines:
        return Lines(self.finder, self.gateway.personal, self.shared.places)

    async def place(self) -> Place:
        """Return how far the rows are, asked before any is read: live updates of the page go on behind it."""
        return Place(await self.shared.hub.epoch(), self.gateway.rows.position)

    def render(self, template: str, *, status: int = HTTPStatus.OK, **context: object) -> HTMLResponse:
        if isinstance(problem := context.get("problem"), Problem):  # the page itself shows why it is refused
            refused_for(self.request, problem.code)
        said = self.request.query_params.get("said", "")
        may = self.caller.permissions
        around = {"visitor": self.visitor, "may": may, "said": said, "dead_letters": self.dead_letters}
        return render(self.request, template, status=status, **around, **context)


async def visit(request: Request, visitor: AVisitor, shared: AContext, at_least: AtLeast = 0) -> Visit:
    """Return the visit, once the rows show what the visitor did themselves.

    Raises:
        SignInRequiredError, ForgedFormError: as `visitor`.
        ForbiddenError: they may not read.
        NotReachedError: the rows lag behind.
    """
    visitor.caller.demand(Permission.READ)
    await shared.gateway.rows.reached(at_least)
    waiting = await _dead_letters(shared, visitor.caller)
    return Visit(request, visitor, shared, Finder(shared.gateway.rows, visitor.caller.team), waiting)


async def _dead_letters(shared: Context, caller: Caller) -> int:
    if Permission.ADMINISTER not in caller.permissions:
        return 0
    return len(await shared.gateway.rows.find(DEAD_LETTERS, {"team": caller.team, "unanswered": True}, limit=MOST))


AVisit = Annotated[Visit, Depends(visit)]


def shown_at(path: str, sequence: int, said: str | None = None) -> RedirectResponse:
    """Send the browser to the page that shows what was just done; `said` is a key of `parts/said.html`."""
    query = {"at_least": sequence} if said is None else {"at_least": sequence, "said": said}
    return RedirectResponse(f"{path}?{urlencode(query)}", HTTPStatus.SEE_OTHER)
