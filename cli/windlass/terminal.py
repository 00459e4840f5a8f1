"""What may reach a terminal: text and colours, and nothing that moves the cursor or changes what was shown."""

import re
from datetime import UTC, datetime

_COLOUR = re.compile(r"\x1b\[[0-9;:]{0,64}m")
_OTHER_SEQUENCE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # control sequences
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)"  # strings: titles, links, clipboard
    r"|\x1b[ -/]*[0-~]"  # single escapes
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_RESET = "\x1b[0m"


def plain(text: str) -> str:
    """Return the text without colours and without anything that controls a terminal."""
    return _CONTROL.sub("", _OTHER_SEQUENCE.sub("", _COLOUR.sub("", text))).replace("\x1b", "").replace("\n", " ")


def coloured(text: str) -> str:
    """Return the text with its colours, closed at its end, and without anything else that controls a terminal."""
    parts = _COLOUR.split(text)
    colours = _COLOUR.findall(text)
    kept = "".join(part + colour for part, colour in zip(map(plain, parts), [*colours, ""], strict=True))
    return kept + _RESET if colours else kept


def duration(milliseconds: int | None) -> str:
    """Return a duration as people read it: `87 ms`, `3.4 s`, `2 min 5 s`."""
    if milliseconds is None:
        return "-"
    if milliseconds < 1_000:  # noqa: PLR2004 - a second
        return f"{milliseconds} ms"
    seconds = milliseconds / 1_000
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"


def age(moment: str, now: datetime | None = None) -> str:
    """Return how long ago a moment (ISO 8601) was, in its largest unit."""
    then = datetime.fromisoformat(moment)
    seconds = max(0, int(((now or datetime.now(UTC)) - then).total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
