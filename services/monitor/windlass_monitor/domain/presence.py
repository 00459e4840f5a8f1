"""Whether the engine is there that runs the containers: what ends or stays silent because of it is no app's fault."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

SETTLES_WITHIN = timedelta(seconds=30)
"""So long after an engine came, what it runs may not answer, whatever it is that runs."""


@dataclass(frozen=True, slots=True)
class Presence:
    """What is known of the engine.

    It has been there `since` then, None while it is away. Where it has `returned`, everything it runs was started anew;
    else nobody looked before.
    """

    since: datetime | None
    returned: bool = False

    def settled_at(self, start: timedelta) -> datetime | None:
        """Return from when on who takes so long to `start` and does not answer is to blame; None while it is away."""
        if self.since is None:
            return None
        return self.since + (max(SETTLES_WITHIN, start) if self.returned else SETTLES_WITHIN)


ALWAYS_THERE = Presence(datetime.min.replace(tzinfo=UTC))
"""Of plain processes, which need no engine."""
