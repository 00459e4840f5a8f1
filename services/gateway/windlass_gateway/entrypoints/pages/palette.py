"""Terminals' colours, brought down to the sixteen that the page's theme has: each of those can be read on it."""

from functools import lru_cache

_STANDARD = (
    (0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205), (0, 205, 205), (229, 229, 229),
    (127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0), (92, 92, 255), (255, 0, 255), (0, 255, 255),
    (255, 255, 255),
)  # fmt: skip
"""The sixteen as xterm has them."""

_LEVELS = (0, 95, 135, 175, 215, 255)
_GREYS = range(8, 248, 10)


@lru_cache(maxsize=4_096)
def nearest(red: int, green: int, blue: int) -> int:
    """Return which of the sixteen is nearest."""

    def distance(index: int) -> int:
        return sum((one - other) ** 2 for one, other in zip(_STANDARD[index], (red, green, blue), strict=True))

    return min(range(len(_STANDARD)), key=distance)


INDEXED = (
    *range(len(_STANDARD)),
    *(nearest(red, green, blue) for red in _LEVELS for green in _LEVELS for blue in _LEVELS),
    *(nearest(grey, grey, grey) for grey in _GREYS),
)
"""Which of the sixteen stands for each of xterm's 256: the sixteen, a cube of 6 by 6 by 6, and greys."""
