"""What a decision wants appended: events in order, each with what its writer knew."""

from dataclasses import dataclass

from windlass_contracts.event import Event
from windlass_contracts.subjects import AggregateKey


@dataclass(frozen=True, slots=True)
class Write:
    """One event about an aggregate whose last event, as far as was known, stands at `after`; 0 means none.

    `scope` is given where more than the one aggregate must not have changed. Several writes about one aggregate follow
    one another: each expects the one before it.
    """

    key: AggregateKey
    event: Event
    after: int
    scope: str | None = None
