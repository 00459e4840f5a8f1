"""The raw copy of the events as part of a verification."""

from dataclasses import dataclass

from windlass_eventlog.log import EventLog
from windlass_eventlog.operations import Checked, Finding, Invariant, Report
from windlass_eventlog.operations.verifying import Check, Looked
from windlass_eventlog.postgres.database import Database
from windlass_gateway.adapters.event_copy_check import CopyComparison, compare_copy

_COMPARING = "compares the raw copy with the log"
_REMEDY = "Find out who changed the gateway's database, or restored it alone: the copy is no backup of this log."


@dataclass(frozen=True, slots=True)
class VerifyingCopy:
    """Compares the copy with the stream, message by message."""

    log: EventLog
    database: Database

    def checks(self) -> list[Check]:
        return [Check(_COMPARING, self._look, settles=False)]

    async def _look(self, report: Report) -> Looked:
        async def on_progress(done: int, total: int) -> None:
            report(_COMPARING, done, total)

        found = await compare_copy(self.log, self.database, on_progress)
        checked = [Checked(invariant=Invariant.REBUILDABLE, what="raw copies", count=found.compared)]
        return Looked(checked, _findings(found))


def _findings(found: CopyComparison) -> list[Finding]:
    findings = [
        Finding.of(
            Invariant.REBUILDABLE,
            "copy-differs",
            f"sequence {one.sequence}",
            f"The raw copy of this event and the log do not agree: {one.what}.",
            _REMEDY,
        )
        for one in found.differences
    ]
    if unnamed := found.differing - len(findings):
        what = f"The raw copies of {unnamed} more events and the log do not agree."
        findings.append(Finding.of(Invariant.REBUILDABLE, "copy-differs", "the raw copy", what, _REMEDY))
    return findings
