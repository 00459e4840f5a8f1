"""Errors that a person sees in a browser: what happened, why, and what to do next."""

from fastapi import Request, Response

from windlass_gateway.entrypoints.pages.rendering import render
from windlass_gateway.entrypoints.problems import Problem, answer

_API = "/api/"


def wants_page(request: Request) -> bool:
    """Whether a browser asks for a page, and not a program for data."""
    return not request.url.path.startswith(_API) and "text/html" in request.headers.get("accept", "")


def answer_problem(request: Request, problem: Problem) -> Response:
    """Return a problem in the form that the request can use."""
    if not wants_page(request):
        return answer(problem)
    visitor = getattr(request.state, "visitor", None)
    return render(request, "pages/error.html", status=problem.status, problem=problem, visitor=visitor)
