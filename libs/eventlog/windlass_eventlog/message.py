"""An event as the message that keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass
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
