"""A way to start a source that was found in its files."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Start:
    """The command, and in one word what decided it. `builds` says whether the standard build command comes before."""

    command: str
    why: str
    builds: bool = True
