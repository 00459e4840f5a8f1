"""The steps of a deployment as its events tell them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from windlass.api import Json

QUEUE = "queue"
_STEPS = (QUEUE, "build", "pre-deploy", "start", "health", "cutover", "route")
_BEGUN_BY = {
    "deployment.requested.v1": QUEUE,
    "build.started.v1": "build",
    "build.succeeded.v1": "start",
    "predeploy.succeeded.v1": "start",
    "container.started.v1": "health",
    "health.passed.v1": "cutover",
    "cutover.started.v1": "route",
}
ENDS = frozenset({"deployment.live.v1", "deployment.failed.v1", "deployment.canceled.v1", "deployment.superseded.v1"})
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class FinishedStep:
    """A step that is over."""

    name: str
    duration_ms: int
    succeeded: bool
    remark: str = ""


class Steps:
    """Follows one deployment's events and says when a step is over; the events of later replicas change nothing."""

    def __init__(self) -> None:
        self._current: tuple[str, datetime] | None = None

    @property
    def current(self) -> str | None:
        """The step that is under way."""
        return None if self._current is None else self._current[0]

    def take(self, event: Json) -> FinishedStep | None:
        """Take the next event; return the step that it ended."""
        kind, time = event["type"], datetime.fromisoformat(event["time"])
        begun = _BEGUN_BY.get(kind)
        if kind == "predeploy.started.v1" and self.current == "start" and self._current is not None:
            self._current = ("pre-deploy", self._current[1])  # something comes first
            return None
        if kind not in ENDS and (begun is None or not self._is_later(begun)):
            return None
        before = self._current
        self._current = None if begun is None else (begun, time)
        if before is None:
            return None
        name, since = before
        succeeded = kind not in ENDS or kind == "deployment.live.v1"
        remark = "taken from before" if event["data"].get("cache_hit") else ""
        return FinishedStep(name, max(0, (time - since) // _MILLISECOND), succeeded, remark)

    def _is_later(self, step: str) -> bool:
        return self._current is None or _STEPS.index(step) > _STEPS.index(self._current[0])
