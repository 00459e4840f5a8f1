"""Verifying one service: what it can look at, looked at again where something was under way."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from windlass_eventlog.errors import HaltedError, NotReachedError
from windlass_eventlog.log import EventLog
from windlass_eventlog.operations.answering import Report
from windlass_eventlog.operations.findings import Checked, Finding, Invariant, Verified

_CATCH_UP_WITHIN = timedelta(seconds=10)
_LOOK_AGAIN_AFTER_S = (0.3, 0.7, 1.5, 2.5, 5.0)
"""What is in flight settles within a few seconds; what is found each time, at a later sequence each, is not."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What was looked at, and what is wrong with it."""

    checked: Sequence[Checked]
    findings: Sequence[Finding] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One part of a verification.

    `look` raises CannotVerifyError where what it looks at does not answer. What `settles` may be in between two
    states that are both right, and is looked at again before it is called wrong.
    """

    name: str
    look: Callable[[Report], Awaitable[Looked]]
    settles: bool = True


class Follows(Protocol):
    """How far the rows are."""

    @property
    def position(self) -> int: ...

    @property
    def halted(self) -> HaltedError | None: ...

    async def reached(self, sequence: int, patience: timedelta | None) -> None: ...


@dataclass(frozen=True, slots=True)
class Verifying:
    """Runs a service's checks, one after the other."""

    log: EventLog
    progress: Follows
    checks: Sequence[Check]

    async def run(self, report: Report) -> Verified:
        """Look at everything.

        Raises:
            CannotVerifyError: something of it does not answer.
            EventLogError: the log or the rows cannot be read.
        """
        report("reads the log", 0, 0)
        checked: list[Checked] = []
        findings: list[Finding] = []
        if (behind := await self._behind()) is not None:
            return Verified.of(self.progress.position, checked, [behind])
        for check in self.checks:
            report(check.name, 0, 0)
            looked = await self._settled(check, report)
            checked += looked.checked
            findings += looked.findings
        return Verified.of(self.progress.position, checked, findings)

    async def _behind(self) -> Finding | None:
        """Return what keeps the rows from being compared with anything."""
        head = await self.log.head()
        try:
            await self.progress.reached(head, _CATCH_UP_WITHIN)
        except HaltedError as halted:
            return Finding.of(
                Invariant.REBUILDABLE, "halted", f"sequence {halted.sequence}", str(halted), halted.way_out
            )
        except NotReachedError as late:
            remedy = "Ask again in a moment; `windlass doctor` shows what is down."
            return Finding.of(Invariant.REBUILDABLE, "lagging", f"sequence {head}", str(late), remedy)
        return None

    async def _settled(self, check: Check, report: Report) -> Looked:
        """Look, and look again at what was found, for as long as some of it goes away."""
        looked = await check.look(report)
        if not check.settles:
            return looked
        for pause in _LOOK_AGAIN_AFTER_S:
            if not looked.findings:
                break
            await asyncio.sleep(pause)
            await self._behind()
            again = await check.look(report)
            before = {finding.identity for finding in looked.findings}
            looked = Looked(again.checked, [one for one in again.findings if one.identity in before])
        return looked
