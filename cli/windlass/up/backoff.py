"""How long to wait before what died is started again. Pure."""

from dataclasses import dataclass, replace

FIRST_SECONDS = 0.1
LONGEST_SECONDS = 30.0
HEALTHY_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Backoff:
    """Doubles from 0.1 s to 30 s; who ran for ten seconds starts from the beginning again."""

    failures: int = 0

    @property
    def delay(self) -> float:
        """Seconds to wait before the next start."""
        doublings = max(self.failures - 1, 0)
        return min(FIRST_SECONDS * 2.0 ** min(doublings, 32), LONGEST_SECONDS)

    def after_death(self, ran_for: float) -> "Backoff":
        """Count a death `ran_for` seconds after the process had become ready (0: it never did)."""
        return Backoff(failures=1) if ran_for >= HEALTHY_SECONDS else replace(self, failures=self.failures + 1)
