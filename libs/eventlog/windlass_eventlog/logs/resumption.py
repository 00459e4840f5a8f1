"""Where to go on reading what a container wrote, after its reader was away."""

from dataclasses import dataclass

from windlass_eventlog.logs.port import DeploymentLog, LogStore


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """Every line before `time_ns` (nanoseconds since 1970, UTC) is stored, and the first `seen` lines of that time."""

    time_ns: int
    seen: int


async def resume_point(store: LogStore, log: DeploymentLog, source: str) -> ResumePoint | None:
    """Return where a source's lines are to be read on; None where nothing of it is stored.

    Several lines may have been written at the same nanosecond, as an engine sees it, so the time alone is not enough.

    Raises:
        LogUnavailableError: no answer in time.
    """
    batch = await store.last(log, source)
    if batch is None:
        return None
    latest = batch.lines[-1]
    if latest.stream == "note":  # it stands for lines that were left out, up to its own time
        return ResumePoint(latest.time_ns + 1, 0)
    seen = 0
    while batch is not None:
        of_that_time = [line for line in batch.lines if line.time_ns == latest.time_ns and line.stream != "note"]
        seen += len(of_that_time)
        whole = len(of_that_time) == len(batch.lines)
        batch = await store.last(log, source, before=batch.first) if whole else None
    return ResumePoint(latest.time_ns, seen)
