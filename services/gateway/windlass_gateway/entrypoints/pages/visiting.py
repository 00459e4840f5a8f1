"""What a page's handler gets: the visitor, what they may look up, and the way to render for them."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from windlass_gateway.application.access import Caller, Permission
from windlass_gateway.application.finding import Finder
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.entrypoints.access.visitor import AVisitor, Visitor
from windlass_gateway.entrypoints.context import AContext, AtLeast, Context
from windlass_gateway.entrypoints.live.place import Place
from windlass_gateway.entrypoints.pages.lines import Lines
from windlass_gateway.entrypoints.pages.rendering import render


@dataclass(frozen=True, slots=True)
class Visit:
    """One request for a page, or from one."""

    request: Request
    visitor: Visitor
    shared: Context
    finder: Finder

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
        said = self.request.query_params.get("said", "")
        may = self.caller.permissions
        return render(self.request, template, status=status, visitor=self.visitor, may=may, said=said, **context)


async def visit(request: Request, visitor: AVisitor, shared: AContext, at_least: AtLeast = 0) -> Visit:
    """Return the visit, once the rows show what the visitor did themselves.

    Raises:
        SignInRequiredError, ForgedFormError: as `visitor`.
        ForbiddenError: they may not read.
        NotReachedError: the rows lag behind.
    """
    visitor.caller.demand(Permission.READ)
    await shared.gateway.rows.reached(at_least)
    return Visit(request, visitor, shared, Finder(shared.gateway.rows, visitor.caller.team))


AVisit = Annotated[Visit, Depends(visit)]


def shown_at(path: str, sequence: int, said: str | None = None) -> RedirectResponse:
    """Send the browser to the page that shows what was just done; `said` is a key of `parts/said.html`."""
    query = {"at_least": sequence} if said is None else {"at_least": sequence, "said": said}
    return RedirectResponse(f"{path}?{urlencode(query)}", HTTPStatus.SEE_OTHER)
