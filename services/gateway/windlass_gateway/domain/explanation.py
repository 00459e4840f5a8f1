"""What a deployment waits for, from whom and until when; or how it ended, and what to do about it."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from windlass_contracts.lifecycle import Phase
from windlass_contracts.subjects import Service
from windlass_gateway.domain.bearings import Bearings
from windlass_gateway.domain.deadlines import Awaited, awaited, awaited_switch
from windlass_gateway.domain.deployment import Deployment, Failure
from windlass_gateway.domain.holding import HeldBack
from windlass_gateway.domain.remarks import queued_remark, remarks
from windlass_gateway.domain.remedies import remedy
from windlass_gateway.domain.restoring import NEXT_STEP

_NOTHING = Bearings()


@dataclass(frozen=True, slots=True)
class Explanation:
    """One sentence, what to do, and, while something is awaited, what, from whom, since when and until when.

    `remarks` say what else is to be known; the first `alarms` of them are bad news. `dead_letters` are those that wait
    for an operator. `queued`, among the remarks too, says where it stands in the queue, and why it is not built yet.
    """

    sentence: str
    next_step: str
    awaits: str | None = None
    owner: Service | None = None
    since: datetime | None = None
    until: datetime | None = None
    given_up_at: datetime | None = None
    remarks: tuple[str, ...] = ()
    alarms: int = 0
    dead_letters: tuple[UUID, ...] = ()
    queued: str | None = None


def explain(row: Deployment, bearings: Bearings = _NOTHING) -> Explanation:
    """Return the explanation of a deployment as it stands."""
    waiting = awaited(row)
    switch = _switch(row, bearings)
    if waiting is not None:
        sentence = f"It is {row.phase}, and waits for {waiting.step}; that is the {waiting.owner}'s to do."
        found = _waiting(waiting, sentence, _patience(row))
    elif switch is not None:
        sentence = f"A way back to it is under way, and waits for {switch.step}; that is the {switch.owner}'s."
        found = _waiting(
            switch, sentence, "Nothing: it answers again, or the request fails, and what is live stays so."
        )
    elif bearings.held_back is not None and bearings.held_back.live:
        found = _beside(row, bearings.held_back)
    elif bearings.taken_back is not None and row.was_live:
        found = Explanation(bearings.taken_back.sentence, NEXT_STEP)
    elif bearings.replaced is not None:
        found = Explanation(bearings.replaced.sentence, bearings.replaced.next_step)
    else:
        found = _ended(row)
    return _with_bearings(row, found, waiting or switch, bearings)


def _patience(row: Deployment) -> str:
    if row.phase is Phase.CUTOVER:
        return "Nothing: it becomes live or fails within moments, and cannot be canceled any more."
    return "Nothing, or `windlass cancel` if it should not become live."


def _waiting(waiting: Awaited, sentence: str, next_step: str) -> Explanation:
    return Explanation(
        sentence=sentence,
        next_step=next_step,
        awaits=waiting.step,
        owner=waiting.owner,
        since=waiting.since,
        until=waiting.until,
        given_up_at=waiting.given_up_at,
    )


def _switch(row: Deployment, bearings: Bearings) -> Awaited | None:
    """Return the latest open way back to a version that ended."""
    latest = max(bearings.switches, key=lambda request: request.sequence, default=None)
    return None if latest is None else awaited_switch(latest, row)


def _with_bearings(row: Deployment, found: Explanation, waiting: Awaited | None, bearings: Bearings) -> Explanation:
    queued = queued_remark(row, bearings)
    open_letters = tuple(one.id for one in bearings.given_up if not one.retried)
    next_step = f"`windlass dead-letters show {open_letters[0].hex[:8]}`." if open_letters else found.next_step
    if row.looping and waiting is None and not open_letters:
        next_step = (
            "Its last lines of output say why it ends: `windlass logs`. Deploy a version that keeps running, or go "
            "back to the one before by `windlass rollback`."
        )
    return replace(
        found,
        awaits=found.awaits if queued is None else "its turn to be built",
        remarks=remarks(row, bearings, waiting),
        alarms=len(row.looping) + len(open_letters),
        dead_letters=open_letters,
        next_step=next_step,
        queued=queued,
    )


def _beside(row: Deployment, held: HeldBack) -> Explanation:
    """Say of a push that was held back where it is live, and how its environment gets it."""
    where = "is live at its own address and its branch's" if held.answers else "was live at its branch's address"
    promote = f"`windlass promote {row.prefix} --to {held.environment}`, and {held.environment} answers with it"
    release = "; `windlass release PROJECT`, and the next push takes the environment"
    released = held.hold.released is not None
    return Explanation(f"It {where}: {held.why}.", f"{promote}{'' if released else release}.")


def _ended(row: Deployment) -> Explanation:
    match row.phase, row.failure:
        case Phase.FAILED, Failure() as failure:
            return Explanation(f"It failed at the stage {failure.stage}: {failure.reason}", remedy(failure))
        case Phase.CANCELED, _ if row.was_skipped and row.cancellation is not None:
            next_step = "Deploy it by hand if you want it anyway, or change the paths in the project's settings."
            return Explanation(f"It was skipped. {row.cancellation.reason}", next_step)
        case Phase.CANCELED, _ if row.cancellation is not None:
            return Explanation(f"It was canceled. {row.cancellation.reason}", "Deploy again when you want it.")
        case Phase.CANCELED, _:
            return Explanation("It was canceled before it took an address.", "Deploy again when you want it.")
        case Phase.SUPERSEDED, _:
            sentence = f"A later request took its place: deployment {row.superseded_by}."
            return Explanation(sentence, "Look at the later one.")
        case _:
            return Explanation("It became live, confirmed by every proxy.", "Nothing: open its address.")
