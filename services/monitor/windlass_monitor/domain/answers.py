"""How many of a version's answers within a minute said that it failed, from counters that only ever grow."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

PERIOD = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Answers:
    """A number of answers, and of those among them with a status of 500 or more."""

    total: int = 0
    errors: int = 0

    def since(self, earlier: "Answers") -> "Answers":
        """Return those that came after the counters stood at `earlier`: all of them, where they began anew."""
        began_anew = self.total < earlier.total or self.errors < earlier.errors
        return self if began_anew else Answers(self.total - earlier.total, self.errors - earlier.errors)


@dataclass(frozen=True, slots=True)
class Tally:
    """What the counters stood at when they were read last, and by how much they grew at each reading of a minute."""

    last: Answers | None = None
    grown: tuple[tuple[datetime, Answers], ...] = ()

    def after(self, at: datetime, counted: Answers) -> "Tally":
        """Return the tally after one more reading; the first one only says where counting begins."""
        recent = self._within(at)
        if self.last is None or counted == self.last:
            return Tally(counted, recent)
        return Tally(counted, (*recent, (at, counted.since(self.last))))

    def within_a_minute(self, now: datetime, since: datetime | None = None) -> Answers:
        """Return the answers of the last minute, or those of them that were read after a moment."""
        return _sum(answers for at, answers in self._within(now) if since is None or at > since)

    def _within(self, now: datetime) -> tuple[tuple[datetime, Answers], ...]:
        return tuple(one for one in self.grown if now - one[0] < PERIOD)


def _sum(many: Iterable[Answers]) -> Answers:
    found = tuple(many)
    return Answers(sum(one.total for one in found), sum(one.errors for one in found))
