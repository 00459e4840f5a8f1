"""What happened, for people to read."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event

_LONG_NAME = re.compile(r"windlass-[0-9a-f]{8}-run-([0-9a-f]{8})[0-9a-f]{24}-([0-9]+)")
_SHOWN = ("container", "why", "code", "reason", "to", "by", "request", "generation", "moves", "attempt", "deployment")


@dataclass(slots=True)
class Story:
    """Lines in the order in which they happened; words are made only if somebody reads it."""

    lines: list[tuple[float, str, Callable[[], str]]] = field(default_factory=list)

    def tell(self, at: float, who: str, what: str) -> None:
        self.lines.append((at, who, what.__str__))

    def tell_event(self, at: float, recorded: Recorded[Event]) -> None:
        self.lines.append((at, "EVENTS", lambda: said(recorded)))

    def __str__(self) -> str:
        lines = (
            f"{number:4} {at:9.3f} s  {who:8} {what()}" for number, (at, who, what) in enumerate(self.lines, start=1)
        )
        return _LONG_NAME.sub(r"run-\1-\2", "\n".join(lines))


def said(recorded: Recorded[Event]) -> str:
    """Return an event in one line."""
    event = recorded.event
    details = " ".join(
        f"{name}={_short(getattr(event, name))}" for name in _SHOWN if getattr(event, name, None) is not None
    )
    about = f"{recorded.key.aggregate} {recorded.key.id.hex[:8]}"
    return f"#{recorded.sequence} {event.TYPE} about {about}, by {recorded.metadata.actor}: {details}"


def _short(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + "; ".join(f"{one.alias.name}: {_short(one.before)}->{_short(one.after)}" for one in value) + "]"
    text = str(value)
    return text[:8] if len(text) == 36 and text.count("-") == 4 else text
