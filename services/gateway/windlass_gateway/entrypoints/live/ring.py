"""The latest events, for viewers that were away for a moment."""

from collections import deque
from dataclasses import dataclass
from itertools import islice

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event


@dataclass(slots=True)
class Ring:
    """Events without a gap between them; the oldest make room."""

    _events: deque[Recorded[Event]]

    @classmethod
    def of(cls, length: int) -> "Ring":
        return cls(deque(maxlen=length))

    def add(self, recorded: Recorded[Event]) -> None:
        self._events.append(recorded)

    def behind(self, sequence: int) -> list[Recorded[Event]] | None:
        """Return every event behind a sequence; None where some of them are not here any more."""
        if not self._events:
            return None
        missing = self._events[-1].sequence - sequence
        if missing > len(self._events):
            return None
        latest = islice(self._events, len(self._events) - max(missing, 0), None)
        return [one for one in latest if one.sequence > sequence]  # what cannot be read has no place here
