"""The gateway's part of a verification: the log itself, what is overdue, and the values that variables need."""

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass

from windlass_contracts.errors import ContractError
from windlass_contracts.subjects import Service
from windlass_eventlog.buckets import KeyValue
from windlass_eventlog.clock import Clock
from windlass_eventlog.errors import GapError
from windlass_eventlog.log import EventLog
from windlass_eventlog.message import StoredMessage
from windlass_eventlog.operations import Checked, Finding, Invariant, Report
from windlass_eventlog.operations.verifying import Check, Looked
from windlass_eventlog.projection import Rows
from windlass_gateway.application.projections import DEPLOYMENTS, ROUTES, VARIABLES
from windlass_gateway.domain.deadlines import decide_failure, decide_switch_failure
from windlass_gateway.domain.log_audit import Condition, LogAudit

_READING = "reads the whole log"
_EXPECTED = "Nats-Expected-Last-Subject-Sequence"
_SCOPE = "Nats-Expected-Last-Subject-Sequence-Subject"
_REPORT = "Nothing can be appended that repairs this: report it, with the events around it (`windlass events`)."
_KEEPER = "The gateway ends what is overdue: see its log, and restart it if that says nothing."
_SET_ANEW = "Set the variable anew: `windlass env set`."


@dataclass(frozen=True, slots=True)
class VerifyingLog:
    """Reads the log from its beginning, and looks for what its own rows say is due."""

    log: EventLog
    rows: Rows
    quarantine: KeyValue
    secrets: KeyValue
    clock: Clock

    def checks(self) -> list[Check]:
        return [
            Check(_READING, self._history, settles=False),
            Check("looks for what is overdue", self._overdue),
            Check("looks for the values of variables", self._values),
        ]

    async def _history(self, report: Report) -> Looked:
        audit, head = LogAudit(), await self.log.head()
        passed = await self._passed_over()
        findings = []
        try:
            await self._read(audit, head, passed, report)
        except GapError as gap:
            remedy = "Restore the stream from a backup."
            findings.append(
                Finding.of(Invariant.REBUILDABLE, "gap", f"sequence {audit.position + 1}", str(gap), remedy)
            )
        audit.end()
        flaws = [Finding.of(Invariant(one.invariant), one.code, one.where, one.what, _REPORT) for one in audit.flaws]
        return Looked(_checked(audit), [*findings, *flaws])

    async def _read(self, audit: LogAudit, head: int, passed: frozenset[int], report: Report) -> None:
        async with aclosing(self.log.stretches(0)) as stretches:
            while audit.position < head:
                for message in (await anext(stretches)).messages:
                    _take(audit, message, passed)
                report(_READING, min(audit.position, head), head)

    async def _passed_over(self) -> frozenset[int]:
        prefix = f"{Service.GATEWAY}."
        keys = [key async for key in self.quarantine.keys()]  # noqa: SIM118 - a bucket is no dictionary
        own = [key.removeprefix(prefix) for key in keys if key.startswith(prefix)]
        return frozenset(int(sequence) for sequence in own if sequence.isdecimal())

    async def _overdue(self, report: Report) -> Looked:
        del report
        now = self.clock()
        waiting = await self.rows.find(DEPLOYMENTS, {"ended": False})
        findings = [
            Finding.of(Invariant.ENDS, "overdue", f"deployment {found.key}", _still(found.row.phase), _KEEPER)
            for found in waiting
            if decide_failure(found.row, now) is not None
        ]
        asked = [
            (routes.row.project, identity, request)
            for routes in await self.rows.find(ROUTES, {"awaiting": True})
            for identity, request in routes.row.requests.items()
        ]
        targets = await self.rows.get_all(DEPLOYMENTS, {request.to for _, _, request in asked})
        for project, identity, request in asked:
            target = targets.get(request.to)
            if target is not None and decide_switch_failure(identity, request, target.row, now) is not None:
                what = f"A rollback or promotion of project {project} waits longer than it may."
                findings.append(Finding.of(Invariant.ENDS, "overdue", f"request {identity}", what, _KEEPER))
        count = len(waiting) + len(asked)
        return Looked([Checked(invariant=Invariant.ENDS, what="requests under way", count=count)], findings)

    async def _values(self, report: Report) -> Looked:
        """Look for the value of each variable that the next deployment would get; older ones may be shredded."""
        del report
        rows = await self.rows.find(VARIABLES, {})
        stored = {key async for key in self.secrets.keys()}  # noqa: SIM118 - a bucket is no dictionary
        variables = [(found.key, variable) for found in rows for variable in found.row.all]
        findings = [
            Finding.of(
                Invariant.SECRET,
                "lost-value",
                f"variable {variable.name}",
                f"The value of this variable of project {project} is not stored, and nobody removed the variable.",
                _SET_ANEW,
            )
            for project, variable in variables
            if str(variable.secret) not in stored
        ]
        return Looked([Checked(invariant=Invariant.SECRET, what="variables", count=len(variables))], findings)


def _take(audit: LogAudit, message: StoredMessage, passed: frozenset[int]) -> None:
    try:
        recorded = message.recorded()
    except ContractError as error:
        why = None if message.sequence in passed else f"{type(error).__name__}: {error}"
        audit.unreadable(message.sequence, why)
    else:
        audit.take(recorded, _condition(message.headers))


def _condition(headers: Mapping[str, str]) -> Condition | None:
    """Return what an append expected of the log; the server keeps that with the message."""
    scope, expected = headers.get(_SCOPE), headers.get(_EXPECTED)
    if scope is None or expected is None or not expected.isdecimal():
        return None
    return Condition(scope, int(expected))


def _checked(audit: LogAudit) -> list[Checked]:
    return [
        Checked(invariant=Invariant.REBUILDABLE, what="events", count=audit.events),
        Checked(invariant=Invariant.ENDS, what="deployments", count=audit.deployments),
        Checked(invariant=Invariant.ROUTES, what="changes of routes", count=audit.changes),
        Checked(invariant=Invariant.LATEST_WINS, what="conditions of appends", count=audit.conditions),
    ]


def _still(phase: str) -> str:
    return f"It is still {phase}, though its deadline passed and it should have been ended by then."
