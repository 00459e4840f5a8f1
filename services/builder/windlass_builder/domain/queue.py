"""Who is built next, and what a request waits for: decided from the rows alone, so that all builders decide alike.

Fair between projects: the one with the fewest builds has the next turn; among equals the one whose last turn, or whose
oldest request if that came later, lies furthest back. All of these are sequences of the log, so that new projects come
behind who waits already: nobody starves. Within a project the order is the log's.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from windlass_builder.domain.deployment import Deployment
from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import BuildStarted
from windlass_contracts.events.deployment import GitSource
from windlass_contracts.holds import Holds
from windlass_contracts.ids import DeploymentId, EnvironmentId, ProjectId
from windlass_contracts.lifecycle import Phase

_BRANCHES = "refs/heads/"


class LastTurn(BaseModel):
    """The row of a project: the sequence at which a build of its was begun last."""

    model_config = ConfigDict(frozen=True)

    sequence: int


def evolve(row: LastTurn | None, recorded: Recorded[Event]) -> LastTurn | None:
    """Fold one event into the row."""
    return LastTurn(sequence=recorded.sequence) if isinstance(recorded.event, BuildStarted) else row


@dataclass(frozen=True, slots=True)
class Request:
    """A build that somebody waits for; `sequence` is that of the request in the log.

    One that was `begun` had its turn, and lost its builder: it goes on before any other begins.
    """

    deployment: DeploymentId
    project: ProjectId
    sequence: int
    begun: bool = False


def in_turn(waiting: Iterable[Request], building: Iterable[ProjectId], turns: Mapping[ProjectId, int]) -> list[Request]:
    """Return who waits, in the order of their turns, given whose builds are under way and who had the last turns."""
    requests = sorted(waiting, key=lambda one: one.sequence)
    order = [one for one in requests if one.begun]
    lines = _lines(one for one in requests if not one.begun)
    builds, last = Counter([*building, *(one.project for one in order)]), dict(turns)
    behind = max([*last.values(), *(line[-1].sequence for line in lines.values())], default=0)
    while lines:
        project = min(lines, key=lambda one: (builds[one], max(last.get(one, 0), lines[one][0].sequence)))
        order.append(lines[project].popleft())
        if not lines[project]:
            del lines[project]
        builds[project] += 1
        last[project] = behind = behind + 1
    return order


def _lines(requests: Iterable[Request]) -> dict[ProjectId, deque[Request]]:
    lines: dict[ProjectId, deque[Request]] = defaultdict(deque)
    for request in requests:
        lines[request.project].append(request)
    return dict(lines)


Lane = tuple[EnvironmentId, str]


def lane(row: Deployment) -> Lane | None:
    """Return what a later request for the same takes the place of; None where only its own commit is meant.

    An upload, an image and a commit without a branch have no branch that could go on.
    """
    source = row.source
    if not isinstance(source, GitSource) or (source.ref is None and source.commit is not None):
        return None
    return row.environment, (source.ref or "").removeprefix(_BRANCHES)


def outdated(rows: Mapping[UUID, Deployment], latest: DeploymentId, holds: Holds) -> dict[DeploymentId, DeploymentId]:
    """Return those that a later request makes pointless, and by which: all in the lane of `latest` but the last.

    A push that a rollback holds back does not get the environment: it makes nothing pointless that would.
    """
    here = None if latest not in rows else lane(rows[latest])
    if here is None:
        return {}
    same = [one for one, row in rows.items() if row.phase.cancelable and lane(row) == here]
    ordered = sorted(same, key=lambda one: rows[one].requested_sequence)
    found = dict[DeploymentId, DeploymentId]()
    for at, one in enumerate(ordered):
        later = [other for other in ordered[at + 1 :] if _beside(rows[one], holds) or not _beside(rows[other], holds)]
        if later:
            found[DeploymentId(one)] = DeploymentId(later[-1])
    return found


def _beside(row: Deployment, holds: Holds) -> bool:
    return holds.holds_back(row.environment, row.trigger, row.requested_sequence)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request stands in the queue, from 1, and why it is not built yet."""

    deployment: DeploymentId
    position: int
    reason: str


def places(order: Sequence[Request], building: int, shortage: str | None) -> list[Place]:
    """Return the place of each of those that wait, in the order of their turns."""
    found, before = [], Counter[ProjectId]()
    for position, request in enumerate(order, 1):
        reason = shortage or _reason(building, before[request.project], position - 1)
        found.append(Place(request.deployment, position, reason))
        before[request.project] += 1
    return found


def _reason(building: int, own: int, before: int) -> str:
    runs = f"{_count(building, 'build')} {'runs' if building == 1 else 'run'}"
    if not before:
        return f"{runs}; it is the next."
    others = before - own
    whose = f"{own} of its own project" if not others else f"{others} of other projects" if not own else ""
    whose = whose or f"{own} of its own project, {others} of others"
    return f"{runs}, and {_count(before, 'request')} {'is' if before == 1 else 'are'} before it ({whose})."


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def needs_a_build(row: Deployment) -> bool:
    """Tell whether its release is still to be made."""
    return row.phase in {Phase.REQUESTED, Phase.BUILDING}


def unfinished(row: Deployment) -> bool:
    """Tell whether the builder has something left to do for it: some replica was never started."""
    return row.phase.cancelable and len(row.containers) < row.replicas
