"""Select graphic rendition: how terminals are told to show what follows. Source: ECMA-48, 8.3.117, and xterm's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from windlass_gateway.entrypoints.pages.palette import INDEXED, nearest

Field = Literal["colour", "background"]

_FLAGS: Mapping[int, str] = MappingProxyType(
    {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse", 9: "strike"}
)
_ENDS: Mapping[int, frozenset[str]] = MappingProxyType(
    {
        22: frozenset({"bold", "dim"}),
        23: frozenset({"italic"}),
        24: frozenset({"underline"}),
        27: frozenset({"inverse"}),
        29: frozenset({"strike"}),
    }
)
_RANGES: Sequence[tuple[Field, int, int]] = (
    ("colour", 30, 0),
    ("background", 40, 0),
    ("colour", 90, 8),
    ("background", 100, 8),
)
"""Eight colours each: which field they set, their first number, and their first colour."""

_EIGHT = 8
_OWN_COLOUR: Mapping[int, Field] = MappingProxyType({38: "colour", 48: "background"})
_NO_COLOUR: Mapping[int, Field] = MappingProxyType({39: "colour", 49: "background"})
_LONGEST_NUMBER = 4


@dataclass(frozen=True, slots=True)
class Style:
    """How what follows looks; colours are 0 to 15."""

    colour: int | None = None
    background: int | None = None
    flags: frozenset[str] = frozenset()

    @property
    def classes(self) -> str:
        colours = [] if self.colour is None else [f"sgr-{self.colour}"]
        if self.background is not None:
            colours.append(f"sgr-on-{self.background}")
        return " ".join([*colours, *(f"sgr-{flag}" for flag in sorted(self.flags))])

    def after(self, parameters: str) -> "Style":
        """Return the style after a sequence with these parameters, whatever they are."""
        parts = parameters.replace("::", ":").replace(":", ";").split(";")
        numbers = [int(part) if 0 < len(part) <= _LONGEST_NUMBER else 0 for part in parts]
        style = self
        while numbers:
            style = style._applied(numbers.pop(0), numbers)
        return style

    def _applied(self, number: int, rest: list[int]) -> "Style":
        """Apply one number; a colour of its own takes more of them from the rest."""
        if number == 0:
            return PLAIN
        if number in _OWN_COLOUR:
            return self.coloured(_OWN_COLOUR[number], _own_colour(rest))
        if number in _NO_COLOUR:
            return self.coloured(_NO_COLOUR[number], None)
        begun, ended = {_FLAGS.get(number, "")} - {""}, _ENDS.get(number, frozenset())
        style = replace(self, flags=(self.flags | begun) - ended)
        basic = _basic_colour(number)
        return style if basic is None else style.coloured(*basic)

    def coloured(self, field: Field, colour: int | None) -> "Style":
        """Return the style with another colour, or with none of its own."""
        return replace(self, colour=colour) if field == "colour" else replace(self, background=colour)


PLAIN = Style()


def _basic_colour(number: int) -> tuple[Field, int] | None:
    found = ((name, base + number - first) for name, first, base in _RANGES if first <= number < first + _EIGHT)
    return next(found, None)


def _own_colour(rest: list[int]) -> int | None:
    match rest:
        case [5, index, *_]:
            del rest[:2]
            return INDEXED[index] if index < len(INDEXED) else None
        case [2, red, green, blue, *_]:
            del rest[:4]
            return nearest(red, green, blue)
        case _:
            rest.clear()
            return None
