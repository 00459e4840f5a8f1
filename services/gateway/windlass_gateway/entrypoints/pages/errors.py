"""Errors that a person sees in a browser: what happened, why, and what to do next."""

from typing import cast

from fastapi import Request, Response

from windlass_gateway.entrypoints.access.visitor import Visitor, session_of
from windlass_gateway.entrypoints.context import Context
from windlass_gateway.entrypoints.pages.rendering import render
from windlass_gateway.entrypoints.problems import Problem, answer

_API = "/api/"
_FOR_PROGRAMS = "openapi.json"


def wants_page(request: Request) -> bool:
    """Whether a browser asks for a page, and not a program for data."""
    return not request.url.path.startswith(_API) and "text/html" in request.headers.get("accept", "")


def answer_problem(request: Request, problem: Problem) -> Response:
    """Return a problem in the form that the request can use."""
    if not wants_page(request):
        return answer(problem)
    shown = _for_people(problem)
    return render(request, "pages/error.html", status=problem.status, problem=shown, visitor=_visitor(request))


def _visitor(request: Request) -> Visitor | None:
    """Return who is signed in, where that is known: an error may be older than the question."""
    known: Visitor | None = getattr(request.state, "visitor", None)
    if known is not None:
        return known
    opened = session_of(cast("Context", request.app.state.context), request)
    return None if opened is None else Visitor(opened.caller, opened.session.csrf)


def _for_people(problem: Problem) -> Problem:
    """Return the problem without advice that only programs can follow."""
    changes: dict[str, object] = {}
    if problem.detail == problem.title:
        changes["detail"] = "There is no page at this address."
    if _FOR_PROGRAMS in problem.next:
        changes["next"] = "Check the address, or begin anew from the projects."
    return problem.model_copy(update=changes)
