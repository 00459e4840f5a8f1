"""How the monitor says something: decided from the row, appended, and decided again when somebody was faster."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import stamina

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_eventlog.appender import Appender
from windlass_eventlog.errors import (
    ConflictError,
    LogFullError,
    LogUnavailableError,
    NotReachedError,
    RowsUnavailableError,
)
from windlass_eventlog.projection import Rows
from windlass_monitor.application.projections import DEPLOYMENTS
from windlass_monitor.domain.deployment import Deployment
from windlass_monitor.domain.verdicts import Verdict

Decision = Callable[[Deployment], Verdict | None]
"""What to say about a deployment as it is now, if anything."""

_ROWS_PATIENCE = timedelta(seconds=30)
_LONGEST_PAUSE_S = 2.0
_AWAY = (LogUnavailableError, LogFullError, NotReachedError, RowsUnavailableError)


@dataclass(frozen=True, slots=True)
class Voice:
    """Appends what is decided about a deployment."""

    rows: Rows
    append: Appender

    async def say(self, cause: Recorded[Event], decide: Decision) -> None:
        """Append what is decided, waiting for whatever is away; nothing, once there is nothing to say any more."""
        async for attempt in stamina.retry_context(on=_AWAY, attempts=None, timeout=None, wait_max=_LONGEST_PAUSE_S):
            with attempt:
                while not await self._said(cause, decide):
                    pass  # somebody wrote before it, and the rows know by now: decide again

    async def _said(self, cause: Recorded[Event], decide: Decision) -> bool:
        known = await self.rows.get(DEPLOYMENTS, cause.key.id)
        verdict = None if known is None else decide(known.row)
        if known is None or verdict is None:
            return True
        try:
            await self.append.caused(cause, cause.key, verdict.event, after=known.sequence, step=verdict.step)
        except ConflictError as conflict:
            await self.rows.reached(conflict.actual or await self.append.log.head(), _ROWS_PATIENCE)
            return False
        return True
