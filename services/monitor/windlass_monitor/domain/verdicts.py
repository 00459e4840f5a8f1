"""What is said of a container once its probes were believed: decided from the row as it is at that moment."""

from dataclasses import dataclass

from windlass_contracts.event import Event
from windlass_contracts.events import Failed, Healthy, Unhealthy
from windlass_contracts.events.deployment import Stage
from windlass_contracts.lifecycle import Phase
from windlass_monitor.domain.deployment import Container, Deployment, Health
from windlass_monitor.domain.outcomes import Answered, Outcome, Success
from windlass_monitor.domain.reasons import code, reason

_MAY_FAIL = frozenset({Phase.STARTED, Phase.HEALTHY})
"""Before the cutover. Afterwards a deployment is not failed by a container any more, only called unhealthy."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to append.

    `step` tells it apart from what else is said because of the same start of a container, and is the same when it is
    decided again after a crash.
    """

    event: Event
    step: str


def passed(row: Deployment, container: Container, success: Success, tries: int) -> Verdict | None:
    """Return what to append now that the container answers as it should; None where there is nothing to say."""
    known = _as_it_is(row, container)
    if known is None or known.health is Health.HEALTHY:
        return None
    status = success.status if isinstance(success, Answered) else None
    event = Healthy(
        container=container.name,
        probe=row.probe.kind,
        status=status,
        tries=tries,
        duration_ms=success.duration_ms,
    )
    return Verdict(event, f"after {known.judged}")


def lost(row: Deployment, container: Container, outcome: Outcome, failures: int) -> Verdict | None:
    """Return what to append now that a healthy container does not answer any more; None where it was not healthy."""
    known = _as_it_is(row, container)
    if known is None or known.health is not Health.HEALTHY:
        return None
    status = outcome.status if isinstance(outcome, Answered) else None
    event = Unhealthy(
        container=container.name, probe=row.probe.kind, code=code(outcome), status=status, failures=failures
    )
    return Verdict(event, f"after {known.judged}")


def expired(row: Deployment, container: Container, outcome: Outcome) -> Verdict | None:
    """Return what to append now that the time to become healthy is over; None where that ends nothing any more."""
    known = _as_it_is(row, container)
    if known is None or known.judged or row.phase not in _MAY_FAIL:
        return None
    sentence = reason(outcome, row.probe, container.port, row.health_s)
    return Verdict(Failed(stage=Stage.HEALTH, code=code(outcome), reason=sentence), "")


def _as_it_is(row: Deployment, container: Container) -> Container | None:
    """Return the container if it still is what was probed: not stopped, paused or resumed since."""
    known = next((one for one in row.heeded if one.name == container.name), None)
    return known if known is not None and known.since == container.since else None
