"""What the provisioner did."""

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """What happened to a thing that was not as it should be; what was, is not reported."""

    CREATED = "created"
    CORRECTED = "corrected"


@dataclass(frozen=True, slots=True)
class Change:
    """One stream, bucket or consumer that was made or corrected; `details` say which settings, from what to what."""

    action: Action
    what: str
    details: tuple[str, ...] = ()
