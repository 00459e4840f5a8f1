"""`/api/v1/dead-letters`: reactions that a service gave up, and what is to become of them."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field, StringConstraints

from windlass_contracts.ids import DeploymentId, EventId, ReactionId
from windlass_contracts.subjects import Aggregate, Service
from windlass_eventlog.dead_letters.letter import Status
from windlass_gateway.application.dead_letters import DeadLetters, Letter
from windlass_gateway.entrypoints.audited import acted
from windlass_gateway.entrypoints.body import Body
from windlass_gateway.entrypoints.context import ACaller, AContext, AtLeast

router = APIRouter(prefix="/dead-letters", tags=["dead letters"])

Ref = Annotated[str, Path(max_length=100, description="its id, or 4 or more characters of its beginning")]


class DeadLetterView(BaseModel):
    """A reaction that a service gave up."""

    id: ReactionId
    status: Status
    service: Service
    reactor: str
    event: EventId
    sequence: Annotated[int, Field(description="where the event stands that the reactor failed on")]
    type: str
    about: Aggregate
    deployment: DeploymentId | None
    error: Annotated[str, Field(description="the class of the last error; what it said is in the service's log")]
    place: str | None
    attempts: Annotated[int, Field(description="how often it was tried in the last round")]
    rounds: Annotated[int, Field(description="how often it was given up")]
    first_at: datetime
    last_at: datetime
    since: Annotated[datetime, Field(description="from when on it has this status")]
    reason: Annotated[str | None, Field(description="why it was discarded")]

    @classmethod
    def of(cls, letter: Letter) -> "DeadLetterView":
        row = letter.row
        return cls(
            id=letter.id,
            status=row.status,
            service=row.service,
            reactor=row.reactor,
            event=row.event,
            sequence=row.sequence,
            type=row.type,
            about=letter.about.aggregate,
            deployment=letter.deployment,
            error=row.error,
            place=row.place,
            attempts=row.attempts,
            rounds=row.rounds,
            first_at=row.first_at,
            last_at=row.last_at,
            since=row.state.since,
            reason=letter.reason,
        )


class DiscardBody(Body):
    """Why nothing is lost without the reaction."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1_000)]


class Decided(BaseModel):
    """The decision is durable; it shows in everything that is read `at_least` its sequence."""

    sequence: int


@router.get("")
async def list_dead_letters(asking: ACaller, shared: AContext, at_least: AtLeast = 0) -> list[DeadLetterView]:
    """List dead letters, those that wait for somebody first."""
    await shared.gateway.rows.reached(at_least)
    return [DeadLetterView.of(one) for one in await DeadLetters(shared.gateway).list(asking)]


@router.get("/{dead_letter}")
async def get_dead_letter(dead_letter: Ref, asking: ACaller, shared: AContext, at_least: AtLeast = 0) -> DeadLetterView:
    """Return one."""
    await shared.gateway.rows.reached(at_least)
    return DeadLetterView.of(await DeadLetters(shared.gateway).find(asking, dead_letter))


@router.post("/{dead_letter}/retry")
async def retry_dead_letter(request: Request, dead_letter: Ref, asking: ACaller, shared: AContext) -> Decided:
    """Have its service try it again."""
    sequence = await DeadLetters(shared.gateway).retry(asking, dead_letter)
    acted(request, "dead letter retry")
    return Decided(sequence=sequence)


@router.post("/{dead_letter}/discard")
async def discard_dead_letter(
    request: Request, dead_letter: Ref, body: DiscardBody, asking: ACaller, shared: AContext
) -> Decided:
    """Let it be, for a reason."""
    sequence = await DeadLetters(shared.gateway).discard(asking, dead_letter, body.reason)
    acted(request, "dead letter discard")
    return Decided(sequence=sequence)
