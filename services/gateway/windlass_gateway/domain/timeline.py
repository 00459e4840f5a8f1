"""The steps of a deployment, each with its duration."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from windlass_contracts.lifecycle import Phase
from windlass_gateway.domain.deployment import Deployment

_MILLISECOND = timedelta(milliseconds=1)
PRE_DEPLOY = "pre-deploy"
_WAY = (
    (Phase.REQUESTED, "queue"),
    (Phase.BUILDING, "build"),
    (Phase.BUILT, "start"),
    (Phase.STARTED, "health"),
    (Phase.HEALTHY, "cutover"),
    (Phase.CUTOVER, "route"),
)
"""Each step, by the phase during which it happens."""


class StepState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    BROKEN_OFF = "broken-off"


@dataclass(frozen=True, slots=True)
class Step:
    """One step that was begun; milliseconds once it is over."""

    name: str
    state: StepState
    started_at: datetime
    ended_at: datetime | None
    duration_ms: int | None


def steps(row: Deployment) -> tuple[Step, ...]:
    """Return the steps that were begun, in order; the last one runs, or is where the deployment ended."""
    begun = [step for phase, name in _WAY if phase in row.moments for step in _begun(row, phase, name)]
    end = row.moments[row.phase] if row.ended else None
    finished = [_step(name, StepState.DONE, start, until) for (name, start), (_, until) in pairwise(begun)]
    name, start = begun[-1]
    if end is None:
        return (*finished, _step(name, StepState.RUNNING, start, None))
    state = StepState.DONE if row.was_live else StepState.BROKEN_OFF
    return (*finished, _step(name, state, start, end))


def _begun(row: Deployment, phase: Phase, name: str) -> list[tuple[str, datetime]]:
    """Return the steps of a phase that were begun: the command before the start, if there is one, and the start."""
    began = row.moments[phase]
    if phase is not Phase.BUILT or row.config.pre_deploy_command is None:
        return [(name, began)]
    start = [] if row.pre_deployed_at is None else [(name, row.pre_deployed_at)]
    return [(PRE_DEPLOY, began), *start]


def total_ms(row: Deployment) -> int | None:
    """Return the milliseconds from the request to the end; None while there is none."""
    return (row.moments[row.phase] - row.requested_at) // _MILLISECOND if row.ended else None


def _step(name: str, state: StepState, start: datetime, end: datetime | None) -> Step:
    return Step(name, state, start, end, None if end is None else (end - start) // _MILLISECOND)
