"""What an event may tell of an error: its class and where it was raised, never what it says."""

import re
import traceback
from dataclasses import dataclass
from typing import Self

_MOST = 200
_NO_NAME = re.compile(r"[^A-Za-z0-9_.]")
_OURS = "windlass_"


@dataclass(frozen=True, slots=True)
class Failure:
    """The class of an error, with its module, and the place in our code nearest to where it was raised."""

    error: str
    place: str | None

    @classmethod
    def of(cls, error: BaseException) -> Self:
        kind = type(error)
        name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
        return cls(_named(name.replace("<locals>.", "")), _place(error))


def _place(error: BaseException) -> str | None:
    frames = [
        (str(frame.f_globals.get("__name__", "")), line) for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    if not frames:
        return None
    module, line = next((one for one in reversed(frames) if one[0].startswith(_OURS)), frames[-1])
    room = _MOST - len(f":{line}")
    return f"{_named(module)[:room]}:{line}"


def _named(text: str) -> str:
    """Return the text as names are written: whatever makes classes at run time may call them anything."""
    name = _NO_NAME.sub("_", text)
    return name[:_MOST] if re.match(r"[A-Za-z_]", name) else f"_{name}"[:_MOST]
