"""What else bears on a deployment than its own row: what explains why it stands as it does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from windlass_contracts.subjects import Service
from windlass_gateway.domain.holding import HeldBack
from windlass_gateway.domain.replacing import Replaced
from windlass_gateway.domain.restoring import TakenBack
from windlass_gateway.domain.routes import SwitchRequest
from windlass_gateway.domain.sharing import Share


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A dead letter about the deployment."""

    id: UUID
    service: Service
    reactor: str
    retried: bool


@dataclass(frozen=True, slots=True)
class Queued:
    """A deployment waits for its build: its place in the queue, from 1, and why, in a sentence."""

    position: int
    reason: str

    @property
    def sentence(self) -> str:
        return f"{ordinal(self.position)} in the queue: {self.reason}"


@dataclass(frozen=True, slots=True)
class Bearings:
    """What else bears on a deployment: dead letters, ways back to it, who appended when, its place in the queue.

    And what holds it back from its environment, where something does, that it was taken back there, or that another one
    has it; and in which environments it shares the requests with another version.
    """

    given_up: Sequence[GivenUp] = ()
    switches: Sequence[SwitchRequest] = ()
    appended: Mapping[Service, datetime] = field(default_factory=dict)
    now: datetime | None = None
    queued: Queued | None = None
    held_back: HeldBack | None = None
    taken_back: TakenBack | None = None
    replaced: Replaced | None = None
    shares: Sequence[Share] = ()


_TEENS = range(11, 14)
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}


def ordinal(number: int) -> str:
    """Return 1st, 2nd, 3rd, 4th, 11th, 21st."""
    return f"{number}th" if number % 100 in _TEENS else f"{number}{_ENDINGS.get(number % 10, 'th')}"
