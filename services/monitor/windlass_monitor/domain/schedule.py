"""When to probe next, and when to believe what the probes say."""

from dataclasses import dataclass, replace
from zlib import crc32

from windlass_contracts.config import HttpProbe, Liveness, Probe
from windlass_monitor.domain.outcomes import NotListening, Outcome, Success, Unsupported, is_closed, is_good

PORT_CLOSED_PAUSE_S = 0.025
PORT_LONG_CLOSED_PAUSE_S = 0.05
LONG_CLOSED_TRIES = 200
FIRST_BAD_ANSWER_PAUSE_S = 0.05
LONGEST_PAUSE_S = 1.0
BETWEEN_SUCCESSES_S = 0.05
SHORTEST_PROBE_S = 0.05
"""A probe with less time than this would tell more of the deadline than of the app."""

LEAST_TIME_S = 1.0
LEAST_AFTER_ABSENCE_S = 10.0
"""Where the monitor itself was away, a container may have been, too, and is about to be started again."""

SECOND = 1.0
IN_DOUBT_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Approach:
    """The probes of a container that was just started or resumed.

    While its port is closed it is tried again and again, and probed the moment it opens; only bad answers make the
    pauses longer, for they cost the app work. `last_answer` is the last outcome that came from an open port.
    """

    probe: Probe
    tries: int = 0
    good: int = 0
    bad: int = 0
    last: Outcome | None = None
    last_answer: Outcome | None = None

    @property
    def success(self) -> Success | None:
        """The last good answer, once there were enough of them in a row."""
        wanted = self.probe.successes if isinstance(self.probe, HttpProbe) else 1
        return self.last if self.good >= wanted and isinstance(self.last, Success) else None

    @property
    def telling(self) -> Outcome:
        """The outcome that says most about what is wrong."""
        return self.last_answer or self.last or NotListening()

    @property
    def hopeless(self) -> bool:
        """Whether no further probe can end in another way."""
        return isinstance(self.last, Unsupported)

    @property
    def pause_s(self) -> float:
        """Seconds until the next try."""
        if self.bad:
            return min(FIRST_BAD_ANSWER_PAUSE_S * 2.0 ** (self.bad - 1), LONGEST_PAUSE_S)
        if self.good:
            return BETWEEN_SUCCESSES_S
        return PORT_CLOSED_PAUSE_S if self.tries < LONG_CLOSED_TRIES else PORT_LONG_CLOSED_PAUSE_S

    def after(self, outcome: Outcome) -> "Approach":
        """Return what is known after one more probe."""
        seen = replace(self, tries=self.tries + 1, last=outcome)
        if is_closed(outcome):
            return replace(seen, good=0, bad=0)
        if is_good(outcome, self.probe):
            return replace(seen, good=self.good + 1, bad=0, last_answer=outcome)
        return replace(seen, good=0, bad=self.bad + 1, last_answer=outcome)


_AS_EVER = Liveness()


@dataclass(frozen=True, slots=True)
class Vigil:
    """The probes that go on afterwards.

    One bad answer is no illness and one good one no recovery, unless the project says so: `doubts` counts the answers
    in a row that speak against what is believed. In doubt, and as long as it is unhealthy, the container is probed more
    often.
    """

    healthy: bool
    doubts: int = 0
    liveness: Liveness = _AS_EVER

    @property
    def pause_s(self) -> float:
        """Seconds until the next probe."""
        return self.liveness.every_s * SECOND if self.healthy and not self.doubts else IN_DOUBT_EVERY_S

    def after(self, *, good: bool) -> "Vigil":
        """Return what is believed after one more answer."""
        if good == self.healthy:
            return replace(self, doubts=0) if self.doubts else self
        enough = self.liveness.failures if self.healthy else self.liveness.successes
        if self.doubts + 1 < enough:
            return replace(self, doubts=self.doubts + 1)
        return replace(self, healthy=good, doubts=0)


def share_of_a_round_s(container: str, liveness: Liveness) -> float:
    """Return the seconds after which a container is probed first by a monitor that was away, always the same ones.

    So those that one machine runs are not all probed at the same moment.
    """
    return crc32(container.encode()) % 1_000 / 1_000 * liveness.every_s * SECOND
