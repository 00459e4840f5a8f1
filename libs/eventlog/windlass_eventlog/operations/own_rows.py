"""What every service can do about its own rows: rebuild them, compare them, and say how far they are."""

from collections.abc import Sequence
from dataclasses import dataclass

from windlass_eventlog.errors import HaltedError
from windlass_eventlog.operations.answering import Operation, Report
from windlass_eventlog.operations.findings import Checked, Finding, Invariant
from windlass_eventlog.operations.model import Halt, Kind, Rebuilt, Standing
from windlass_eventlog.operations.verifying import Check, Looked, Verifying
from windlass_eventlog.postgres.comparison import ComparedProjection, compare
from windlass_eventlog.postgres.projection_runner import ProjectionRunner
from windlass_eventlog.postgres.rebuild import rebuild

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class OwnRows:
    """The rows of one service, through the runner that keeps them."""

    runner: ProjectionRunner

    def operations(self, checks: Sequence[Check]) -> dict[Kind, Operation]:
        """Return what the service can be asked for; `checks` are those that it adds to the comparison of its rows."""
        compared = Check("compares the rows with the log", self._compare, settles=False)
        verifying = Verifying(self.runner.log, self.runner.progress, [compared, *checks])
        return {Kind.REBUILD: self._rebuild, Kind.VERIFY: verifying.run, Kind.STATE: self._stand}

    async def _rebuild(self, report: Report) -> Rebuilt:
        runner = self.runner

        async def on_progress(done: int, total: int) -> None:
            report("folds the events", done, total)

        done = await rebuild(runner.log, runner.database, runner.layout, runner.quarantine, on_progress)
        runner.look_again()
        return Rebuilt(sequence=done.sequence, seconds=done.seconds)

    async def _compare(self, report: Report) -> Looked:
        runner = self.runner

        async def on_progress(done: int, total: int) -> None:
            report("compares the rows with the log", done, total)

        try:
            found = await compare(runner.log, runner.database, runner.layout, runner.quarantine, on_progress)
        except HaltedError as halted:
            return Looked((), [_halted(halted)])
        rows = sum(one.rows for one in found.projections)
        checked = [Checked(invariant=Invariant.REBUILDABLE, what=f"rows of the {runner.layout.service}", count=rows)]
        differing = [one for one in found.projections if one.differing]
        return Looked(checked, [_differing(runner.layout.service, found.sequence, one) for one in differing])

    async def _stand(self, report: Report) -> Standing:
        del report
        halted, position = self.runner.progress.halted, self.runner.progress.position
        return Standing(
            position=position, halt=None if halted is None else Halt(sequence=halted.sequence, why=str(halted))
        )


def _differing(service: str, sequence: int, one: ComparedProjection) -> Finding:
    keys = ", ".join(str(key) for key in one.keys[:_SHOWN])
    what = (
        f"At sequence {sequence}, {one.differing} of its {one.rows} rows are not what the log says (digest"
        f" {one.digest[:12]} instead of {one.rebuilt_digest[:12]}): {keys}{', ...' if one.differing > _SHOWN else ''}"
    )
    remedy = f"`windlass rebuild {service}` puts them right; report how it came to this."
    return Finding.of(Invariant.REBUILDABLE, "rows-differ", f"projection {one.name} of the {service}", what, remedy)


def _halted(halted: HaltedError) -> Finding:
    where = f"sequence {halted.sequence}"
    return Finding.of(Invariant.REBUILDABLE, "halted", where, str(halted), halted.way_out)
