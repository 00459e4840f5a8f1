"""Server-sent events as bytes.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Frame:
    """One message of a view, encoded once for all who watch it; it brings them to this sequence.

    One that shows what changed beside the log is `anew`: it may bring a viewer no further.
    """

    sequence: int
    body: bytes
    anew: bool = False


def message(identity: object, html: str) -> bytes:
    """Return an unnamed message: what it carries is put into the page."""
    return f"id: {identity}\n{_data(html)}\n".encode()


def named(name: str, about: Mapping[str, object]) -> bytes:
    """Return a named message, which the page's own script hears."""
    return f"event: {name}\n{_data(json.dumps(about))}\n".encode()


def comment(text: str) -> bytes:
    """Return what no client shows to anybody."""
    return f": {text}\n\n".encode()


def _data(text: str) -> str:
    return "".join(f"data: {line}\n" for line in _LINE_END.split(text))


PING = named("ping", {})
"""Named, so that the page's script can tell silence from a broken connection."""
