"""`/dead-letters`: what services gave up, live, and the two things that can be done about each."""

from typing import Annotated

from fastapi import APIRouter, Form, Path, Response

from windlass_gateway.application.access import Caller
from windlass_gateway.application.dead_letters import DeadLetters
from windlass_gateway.domain.refusals import Refusal
from windlass_gateway.entrypoints.audited import acted
from windlass_gateway.entrypoints.context import Context
from windlass_gateway.entrypoints.pages.rendering import in_place
from windlass_gateway.entrypoints.pages.visiting import AVisit, Visit, shown_at
from windlass_gateway.entrypoints.problems import problem_of

router = APIRouter(prefix="/dead-letters", include_in_schema=False)

Ref = Annotated[str, Path(max_length=100)]


@router.get("")
async def show_dead_letters(visit: AVisit) -> Response:
    """List them, those that wait for somebody first."""
    place = await visit.place()
    letters = await DeadLetters(visit.gateway).list(visit.caller)
    return visit.render("pages/dead_letters.html", letters=letters, place=place)


@router.get("/{dead_letter}")
async def show_dead_letter(visit: AVisit, dead_letter: Ref) -> Response:
    """Show one, with what can be done about it."""
    return await _page(visit, dead_letter, None)


@router.post("/{dead_letter}/retry")
async def retry(visit: AVisit, dead_letter: Ref) -> Response:
    """Have it tried again."""
    try:
        sequence = await DeadLetters(visit.gateway).retry(visit.caller, dead_letter)
    except Refusal as refusal:
        return await _page(visit, dead_letter, refusal)
    acted(visit.request, "dead letter retry")
    return shown_at("/dead-letters", sequence, "dead-letter-retried")


@router.post("/{dead_letter}/discard")
async def discard(visit: AVisit, dead_letter: Ref, reason: Annotated[str, Form(max_length=4_000)] = "") -> Response:
    """Let it be."""
    try:
        sequence = await DeadLetters(visit.gateway).discard(visit.caller, dead_letter, reason)
    except Refusal as refusal:
        return await _page(visit, dead_letter, refusal)
    acted(visit.request, "dead letter discard")
    return shown_at("/dead-letters", sequence, "dead-letter-discarded")


async def _page(visit: Visit, written: str, refusal: Refusal | None) -> Response:
    letter = await DeadLetters(visit.gateway).find(visit.caller, written)
    problem = None if refusal is None else problem_of(refusal)
    return visit.render(
        "pages/dead_letter.html", status=200 if problem is None else problem.status, letter=letter, problem=problem
    )


async def live(shared: Context, caller: Caller) -> str:
    """Render the list as it is now."""
    letters = await DeadLetters(shared.gateway).list(caller)
    return in_place("dead-letters", "parts/dead_letters.html", letters=letters)
