"""How many bytes of uploads are on their way: they count before they are stored, or many at once would fit."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from windlass_contracts.ids import TeamId


@dataclass(slots=True)
class Arriving:
    """What arrives in this process, each as large as it was announced."""

    _bytes: dict[TeamId, int] = field(default_factory=dict)

    def of(self, team: TeamId) -> int:
        """Return how many bytes arrive for a team."""
        return self._bytes.get(team, 0)

    @property
    def total(self) -> int:
        """Return how many bytes arrive for all."""
        return sum(self._bytes.values())

    @contextmanager
    def counted(self, team: TeamId, size: int) -> Iterator[None]:
        """Count so many bytes while the block runs."""
        self._bytes[team] = self.of(team) + size
        try:
            yield
        finally:
            self._bytes[team] -= size
            if not self._bytes[team]:
                del self._bytes[team]
