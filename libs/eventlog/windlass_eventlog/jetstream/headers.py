"""Headers of NATS messages, read as the library reads them, in a third of the time: a batch is half headers.

Source: NATS ADR-4.
"""

from collections.abc import Iterable
from functools import lru_cache

from windlass_contracts.cloudevent import ANSWER_HEADER

STORED_AS_ANSWER = f"{ANSWER_HEADER}-Stored"
"""In the place of the first of two: the server adds its own to what was stored with one."""

_WHITESPACE = " \t\n\r\x0b\x0c"


def parsed(block: bytes) -> dict[str, str]:
    """Return the headers of a block of lines `Name: value`; what is none is passed over, the last of a name counts."""
    return of_lines(lines(block))


def lines(block: bytes) -> list[str]:
    return block.decode("utf-8", "replace").split("\r\n")


def of_lines(block: Iterable[str]) -> dict[str, str]:
    """Return the headers of lines."""
    found = {}
    for line in block:
        name, colon, value = line.partition(":")
        if colon and (known := _name(name)) is not None:
            if known == ANSWER_HEADER and known in found:
                found[STORED_AS_ANSWER] = ""
            found[known] = value.strip(_WHITESPACE)
    return found


@lru_cache(maxsize=64)  # the same few names come with every message
def _name(text: str) -> str | None:
    """Return a name without the space around it, None for what is no name."""
    name = text.strip(_WHITESPACE)
    return name if name.isascii() and not any(letter.isspace() for letter in name) else None
