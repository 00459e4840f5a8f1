"""The port to the engine that runs the containers, of which nothing but its presence is known here."""

from typing import Protocol

from windlass_monitor.domain.presence import ALWAYS_THERE, Presence


class Engine(Protocol):
    """Tells whether it is there."""

    @property
    def presence(self) -> Presence:
        """What is known now."""
        ...


class NoEngine(Engine):
    """Containers are plain processes: nothing can be away."""

    @property
    def presence(self) -> Presence:
        return ALWAYS_THERE
