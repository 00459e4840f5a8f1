"""Differences between a configuration that the server has and the one that is wanted."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Drift:
    """A setting that is not as it should be."""

    setting: str
    found: object
    wanted: object

    def __str__(self) -> str:
        return f"{self.setting}: {_shown(self.found)} -> {_shown(self.wanted)}"


def drifts(found: object, wanted: object, settings: Iterable[str]) -> list[Drift]:
    """Return the settings that differ. The server shows most that was never set as None, false, 0 or "none"."""
    pairs = ((name, getattr(found, name), getattr(wanted, name)) for name in settings)
    return [Drift(name, is_now, should) for name, is_now, should in pairs if _plain(is_now) != _plain(should)]


def _plain(value: object) -> object:
    value = value.value if isinstance(value, Enum) else value
    return None if value in (None, False, 0, "none", "default") else value


def _shown(value: object) -> object:
    return value.value if isinstance(value, Enum) else value
