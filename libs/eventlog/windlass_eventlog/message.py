"""An event as the message that keeps it: on its way, and as the log holds it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from windlass_contracts.cloudevent import MESSAGE_ID_HEADER, Proposed, Recorded, decode, encode
from windlass_contracts.event import Event


@dataclass(frozen=True, slots=True)
class Message:
    """Subject, headers and body."""

    subject: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers[MESSAGE_ID_HEADER]

    @classmethod
    def of(cls, proposed: Proposed[Event], installation: str) -> Self:
        """Write an event down.

        Raises:
            ContractError: no reader would take it; its subclasses say why.
        """
        return cls(*encode(proposed, installation))

    def recorded(self, sequence: int) -> Recorded[Event]:
        """Read the event.

        Raises:
            ContractError: it cannot be read; its subclasses say why.
        """
        return decode(sequence, self.subject, self.headers, self.body)


@dataclass(slots=True)
class StoredMessage:
    """A message as the log holds it, readable or not.

    Nobody changes one; it is not frozen because that would double what it costs to make a million of them.
    """

    sequence: int
    stored_at: datetime
    subject: str
    headers: Mapping[str, str]
    body: bytes

    def recorded(self) -> Recorded[Event]:
        """Read the event.

        Raises:
            ContractError: it cannot be read; its subclasses say why.
        """
        return decode(self.sequence, self.subject, self.headers, self.body)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Messages that were there at once, in order and without gap, and how many were still to come behind them."""

    messages: Sequence[StoredMessage]
    to_come: int
