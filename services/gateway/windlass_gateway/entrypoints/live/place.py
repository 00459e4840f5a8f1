"""Where a viewer stands: which log, and how far. It is the id of each message, and what a page goes on behind."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Self

_MILLISECONDS = 1_000
_WRITTEN = re.compile(r"([0-9a-f]{1,16})-(0|[1-9][0-9]{0,17})")


def epoch_of(created: datetime) -> str:
    """Return the short name of the log that was made then: another log in its place has another one."""
    return f"{int(created.timestamp() * _MILLISECONDS):x}"


@dataclass(frozen=True, slots=True)
class Place:
    """A sequence of one log."""

    epoch: str
    sequence: int

    @classmethod
    def parse(cls, written: str) -> Self | None:
        """Return the place that is written; None where it is nonsense."""
        found = _WRITTEN.fullmatch(written)
        return None if found is None else cls(found[1], int(found[2]))

    def __str__(self) -> str:
        return f"{self.epoch}-{self.sequence}"
