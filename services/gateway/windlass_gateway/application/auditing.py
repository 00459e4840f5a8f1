"""What was refused, and what operators did, on its way to AUDIT: no answer waits for it, and no flood fills it."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import structlog

from windlass_contracts.subjects import Service
from windlass_eventlog.audit import ANONYMOUS, Audit, AuditEntry, Outcome
from windlass_eventlog.errors import LogUnavailableError
from windlass_gateway.application.access import Caller, Permission
from windlass_gateway.domain.rates import Rate, Rates

MOST_AT_ONCE = 1_000
_MOST_WAITING = 1_000
_MOST_ACTS_WAITING = 4_000

_EACH = Rate(burst=30, per_s=0.5)
_TOGETHER = Rate(burst=300, per_s=2)

_log = structlog.get_logger(__name__)


def _rates() -> Rates:
    return Rates(_EACH, _TOGETHER)


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody asked for: a route's template or the name of an act, and what it was answered."""

    operation: str
    code: str
    status: int
    actor: str
    network: str

    @property
    def anonymous(self) -> bool:
        return self.actor == ANONYMOUS


@dataclass(slots=True)
class Auditing:
    """Takes refusals and acts in no time, and hands them to AUDIT one by one in `run`.

    Strangers have no part in the rate of those who proved who they are: a flood of theirs hides nothing of the others.
    Acts are always taken. While NATS is away all wait; what finds no place is counted, and the next entry says so.
    """

    audit: Audit
    clock: Callable[[], datetime]
    seconds: Callable[[], float]
    fresh_id: Callable[[], UUID]
    left_out: int = 0
    try_again_after_s: float = 1.0
    _waiting: deque[AuditEntry] = field(default_factory=deque)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _strangers: Rates = field(default_factory=_rates)
    _known: Rates = field(default_factory=_rates)

    def refused(self, deed: Deed) -> None:
        """Take a refusal, unless there are too many."""
        rates, key = (self._strangers, deed.network) if deed.anonymous else (self._known, deed.actor)
        if len(self._waiting) < _MOST_WAITING and rates.admits(key, self.seconds()):
            self._take(deed, Outcome.REFUSED)
        else:
            self.left_out += 1

    def noted(self, deed: Deed) -> None:
        """Take what an operator did."""
        if len(self._waiting) < _MOST_ACTS_WAITING:
            self._take(deed, Outcome.DONE)
        else:
            self.left_out += 1

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    async def run(self) -> None:
        """Hand over what was taken, for ever."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                await self._hand_over(self._waiting[0])
                self._waiting.popleft()

    async def latest(self, caller: Caller, limit: int, actor: str | None, code: str | None) -> Sequence[AuditEntry]:
        """Return what was kept, the newest first.

        Raises:
            ForbiddenError: they may not see it.
            LogUnavailableError: it cannot be read.
        """
        caller.demand(Permission.ADMINISTER)
        return await self.audit.latest(limit, actor=actor, code=code)

    def _take(self, deed: Deed, outcome: Outcome) -> None:
        entry = AuditEntry(
            id=self.fresh_id(),
            at=self.clock(),
            service=Service.GATEWAY,
            outcome=outcome,
            operation=deed.operation,
            code=deed.code,
            status=deed.status,
            actor=deed.actor,
            network=deed.network,
            left_out=self.left_out,
        )
        self.left_out = 0
        self._waiting.append(entry)
        self._arrived.set()

    async def _hand_over(self, entry: AuditEntry) -> None:
        """Send an entry until it is kept, and say once that it takes longer."""
        said = False
        while True:
            try:
                await self.audit.append(entry)
            except LogUnavailableError as error:
                if not said:
                    await _log.awarning("audit.waits", why=str(error))
                said = True
                await asyncio.sleep(self.try_again_after_s)
            else:
                return
