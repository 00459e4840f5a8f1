"""How much of a stream the lines of one command may take up: who prints without end pushes out its own, not others'."""

from collections import OrderedDict, deque
from dataclasses import dataclass, field

_ENVELOPE_BYTES = 256
"""What the server keeps of a message besides its body, about."""
_FOLLOWED = 100
"""So many subjects are counted, those that were written to last."""


@dataclass(slots=True)
class Shares:
    """Counts what was stored under each subject; `most` is in bytes."""

    most: int
    _stored: OrderedDict[str, "_Share"] = field(default_factory=OrderedDict)

    def stored(self, subject: str, sequence: int, size: int) -> int | None:
        """Count a message; return the first sequence that stays of the subject, None where nothing has to go.

        Much goes at once, a quarter, so that it is seldom.
        """
        share = self._stored.setdefault(subject, _Share())
        self._stored.move_to_end(subject)
        if len(self._stored) > _FOLLOWED:
            self._stored.popitem(last=False)
        share.add(sequence, size + _ENVELOPE_BYTES)
        return share.cut(self.most * 3 // 4) if share.size > self.most else None


@dataclass(slots=True)
class _Share:
    messages: deque[tuple[int, int]] = field(default_factory=deque)
    size: int = 0

    def add(self, sequence: int, size: int) -> None:
        self.messages.append((sequence, size))
        self.size += size

    def cut(self, most: int) -> int:
        """Forget the oldest, but never the newest; return the first sequence that is left."""
        while self.size > most and len(self.messages) > 1:
            self.size -= self.messages.popleft()[1]
        return self.messages[0][0]
