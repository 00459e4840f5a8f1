"""Saying how far a service's rows are."""

from windlass_eventlog.operations.answering import Report
from windlass_eventlog.operations.model import Halt, Standing
from windlass_eventlog.progress import Progress


async def standing(progress: Progress, report: Report) -> Standing:
    """Answer at once."""
    del report
    halted = progress.halted
    halt = None if halted is None else Halt(sequence=halted.sequence, why=str(halted))
    return Standing(position=progress.position, halt=halt)
