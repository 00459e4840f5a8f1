"""What a deployment waits for, from whom and until when; or how it ended, and what to do about it."""

from dataclasses import dataclass
from datetime import datetime

from windlass_contracts.lifecycle import Phase
from windlass_contracts.subjects import Service
from windlass_gateway.domain.deadlines import awaited
from windlass_gateway.domain.deployment import Deployment, Failure
from windlass_gateway.domain.remedies import remedy


@dataclass(frozen=True, slots=True)
class Explanation:
    """One sentence, what to do, and, while something is awaited, what, from whom, since when and until when."""

    sentence: str
    next_step: str
    awaits: str | None = None
    owner: Service | None = None
    since: datetime | None = None
    until: datetime | None = None
    given_up_at: datetime | None = None


def explain(row: Deployment) -> Explanation:
    """Return the explanation of a deployment as it stands."""
    waiting = awaited(row)
    if waiting is None:
        return _ended(row)
    sentence = f"It is {row.phase}, and waits for {waiting.step}; that is the {waiting.owner}'s to do."
    if row.phase is Phase.CUTOVER:
        next_step = "Nothing: it becomes live or fails within moments, and cannot be canceled any more."
    else:
        next_step = "Nothing, or `windlass cancel` if it should not become live."
    return Explanation(
        sentence=sentence,
        next_step=next_step,
        awaits=waiting.step,
        owner=waiting.owner,
        since=waiting.since,
        until=waiting.until,
        given_up_at=waiting.given_up_at,
    )


def _ended(row: Deployment) -> Explanation:
    match row.phase, row.failure:
        case Phase.FAILED, Failure() as failure:
            return Explanation(f"It failed at the stage {failure.stage}: {failure.reason}", remedy(failure))
        case Phase.CANCELED, _:
            return Explanation("It was canceled before it took an address.", "Deploy again when you want it.")
        case Phase.SUPERSEDED, _:
            sentence = f"A later request took its place: deployment {row.superseded_by}."
            return Explanation(sentence, "Look at the later one.")
        case _:
            return Explanation("It became live, confirmed by every proxy.", "Nothing: open its address.")
