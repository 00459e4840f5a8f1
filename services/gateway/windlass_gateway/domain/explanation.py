"""What a deployment waits for, from whom and until when; or how it ended, and what to do about it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from windlass_contracts.lifecycle import Phase
from windlass_contracts.subjects import Service
from windlass_gateway.domain.container import Container, ContainerState
from windlass_gateway.domain.deadlines import Awaited, awaited, awaited_restart, awaited_switch
from windlass_gateway.domain.deployment import Deployment, Failure
from windlass_gateway.domain.holding import HeldBack
from windlass_gateway.domain.remedies import remedy
from windlass_gateway.domain.restoring import NEXT_STEP, TakenBack
from windlass_gateway.domain.routes import SwitchRequest
from windlass_gateway.domain.sharing import Share

QUIET = timedelta(seconds=20)
"""For how long an owner may append nothing before that is worth a remark."""


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A dead letter about the deployment."""

    id: UUID
    service: Service
    reactor: str
    retried: bool


@dataclass(frozen=True, slots=True)
class Queued:
    """A deployment waits for its build: its place in the queue, from 1, and why, in a sentence."""

    position: int
    reason: str

    @property
    def sentence(self) -> str:
        return f"{ordinal(self.position)} in the queue: {self.reason}"


@dataclass(frozen=True, slots=True)
class Bearings:
    """What else bears on a deployment: dead letters, ways back to it, who appended when, its place in the queue.

    And what holds it back from its environment, where something does, or that it was taken back there; and in which
    environments it shares the requests with another version.
    """

    given_up: Sequence[GivenUp] = ()
    switches: Sequence[SwitchRequest] = ()
    appended: Mapping[Service, datetime] = field(default_factory=dict)
    now: datetime | None = None
    queued: Queued | None = None
    held_back: HeldBack | None = None
    taken_back: TakenBack | None = None
    shares: Sequence[Share] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """One sentence, what to do, and, while something is awaited, what, from whom, since when and until when.

    `remarks` say what else is to be known; the first `alarms` of them are bad news. `dead_letters` are those that wait
    for an operator. `queued`, among the remarks too, says where it stands in the queue, and why it is not built yet.
    """

    sentence: str
    next_step: str
    awaits: str | None = None
    owner: Service | None = None
    since: datetime | None = None
    until: datetime | None = None
    given_up_at: datetime | None = None
    remarks: tuple[str, ...] = ()
    alarms: int = 0
    dead_letters: tuple[UUID, ...] = ()
    queued: str | None = None


def explain(row: Deployment, bearings: Bearings = Bearings()) -> Explanation:
    """Return the explanation of a deployment as it stands."""
    waiting = awaited(row)
    switch = _switch(row, bearings)
    if waiting is not None:
        sentence = f"It is {row.phase}, and waits for {waiting.step}; that is the {waiting.owner}'s to do."
        found = _waiting(waiting, sentence, _patience(row))
    elif switch is not None:
        sentence = f"A way back to it is under way, and waits for {switch.step}; that is the {switch.owner}'s."
        found = _waiting(
            switch, sentence, "Nothing: it answers again, or the request fails, and what is live stays so."
        )
    elif bearings.held_back is not None and bearings.held_back.live:
        found = _beside(row, bearings.held_back)
    elif bearings.taken_back is not None and row.was_live:
        found = Explanation(bearings.taken_back.sentence, NEXT_STEP)
    else:
        found = _ended(row)
    return _with_bearings(row, found, waiting or switch, bearings)


def _patience(row: Deployment) -> str:
    if row.phase is Phase.CUTOVER:
        return "Nothing: it becomes live or fails within moments, and cannot be canceled any more."
    return "Nothing, or `windlass cancel` if it should not become live."


def _waiting(waiting: Awaited, sentence: str, next_step: str) -> Explanation:
    return Explanation(
        sentence=sentence,
        next_step=next_step,
        awaits=waiting.step,
        owner=waiting.owner,
        since=waiting.since,
        until=waiting.until,
        given_up_at=waiting.given_up_at,
    )


def _switch(row: Deployment, bearings: Bearings) -> Awaited | None:
    """Return the latest open way back to a version that ended."""
    latest = max(bearings.switches, key=lambda request: request.sequence, default=None)
    return None if latest is None else awaited_switch(latest, row)


def _with_bearings(row: Deployment, found: Explanation, waiting: Awaited | None, bearings: Bearings) -> Explanation:
    remarks = [*_looping(row), *(_given_up(one) for one in bearings.given_up)]
    queued = _queued(row, bearings)
    if queued is not None:
        remarks.append(queued)
    elif waiting is not None:
        remarks += _quiet(waiting, bearings)
    else:
        remarks += [*_kept(row), *_restarted(row)]
    remarks += [share.sentence for share in bearings.shares]
    if bearings.held_back is not None and not row.ended:
        remarks.append(f"It will be live at its own address and its branch's alone: {bearings.held_back.why}.")
    open_letters = tuple(one.id for one in bearings.given_up if not one.retried)
    next_step = f"`windlass dead-letters show {open_letters[0].hex[:8]}`." if open_letters else found.next_step
    if row.looping and waiting is None and not open_letters:
        next_step = (
            "Its last lines of output say why it ends: `windlass logs`. Deploy a version that keeps running, or go "
            "back to the one before by `windlass rollback`."
        )
    return replace(
        found,
        awaits=found.awaits if queued is None else "its turn to be built",
        remarks=tuple(remarks),
        alarms=len(row.looping) + len(open_letters),
        dead_letters=open_letters,
        next_step=next_step,
        queued=queued,
    )


def _queued(row: Deployment, bearings: Bearings) -> str | None:
    queued = bearings.queued
    if row.phase is not Phase.REQUESTED or queued is None:
        return None
    return queued.sentence


def _looping(row: Deployment) -> list[str]:
    """Say of each container that loops how often it ended, how, and since when."""
    return [
        f"Looping: {name_end(one.name)} ended {one.exits} times in a row soon after its start, the last time "
        f"{_how_it_ended(one)}, since {one.looping_since:%Y-%m-%d %H:%M:%S} UTC. It is started again later and later, "
        "up to a minute after each end, and now and then a fresh container takes its place."
        for one in row.looping
    ]


def _how_it_ended(container: Container) -> str:
    if container.out_of_memory:
        return "because it used more memory than it may"
    return "without an exit code" if container.exit_code is None else f"with exit code {container.exit_code}"


def name_end(container: str) -> str:
    """Return what a deployment's containers are told apart by: `container 2`, or `container 2-3` for its third life."""
    numbered = _NUMBERED.search(container)
    return f"container {container.rpartition('-')[2] if numbered is None else numbered[1]}"


_NUMBERED = re.compile(r"-run-[0-9a-f]{32}-(.+)")


_TEENS = range(11, 14)
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}


def ordinal(number: int) -> str:
    """Return 1st, 2nd, 3rd, 4th, 11th, 21st."""
    return f"{number}th" if number % 100 in _TEENS else f"{number}{_ENDINGS.get(number % 10, 'th')}"


def _given_up(letter: GivenUp) -> str:
    if letter.retried:
        return f"The {letter.service}'s {letter.reactor} had been given up, and is being tried again."
    return (
        f"The {letter.service}'s {letter.reactor} failed as often as it is tried: it waits for an operator,"
        f" as dead letter {letter.id.hex[:8]}."
    )


def _quiet(waiting: Awaited, bearings: Bearings) -> list[str]:
    """Say that an owner shows no sign of life; a long step is quiet too, so nothing more is claimed."""
    last = bearings.appended.get(waiting.owner)
    if bearings.now is None or bearings.now - max(waiting.since, last or waiting.since) < QUIET:
        return []
    said = "nothing yet" if last is None else f"nothing since {last:%Y-%m-%d %H:%M:%S} UTC"
    return [f"The {waiting.owner} has appended {said}: `windlass doctor` shows whether it runs."]


def _restarted(row: Deployment) -> list[str]:
    """Say what becomes of a restart, or why the last one failed."""
    if row.restarts:
        waiting = awaited_restart(row, row.restarts[-1])
        renewed = row.replica_set.renewed(row.restarts[-1].sequence)
        progress = f"{renewed} of {row.replicas} containers gave way to fresh ones"
        until = f"{waiting.until:%Y-%m-%d %H:%M:%S} UTC"
        return [f"A restart is under way: {progress}. It waits for {waiting.step}, until {until} at the latest."]
    end = row.last_restart
    if end is None or end.reason is None:
        return []
    return [f"The last restart broke off after {end.replaced} of {row.replicas} containers: {end.reason}"]


def _kept(row: Deployment) -> list[str]:
    """Say what becomes of a version that was replaced."""
    states = {container.state for container in row.containers}
    if not row.was_live or ContainerState.PAUSED not in states:
        return []
    keep = row.config.retirement.keep_warm_s
    return [f"It was replaced: its containers are paused, and kept for {keep} s from then on for an instant rollback."]


def _beside(row: Deployment, held: HeldBack) -> Explanation:
    """Say of a push that was held back where it is live, and how its environment gets it."""
    where = "is live at its own address and its branch's" if held.answers else "was live at its branch's address"
    promote = f"`windlass promote {row.prefix} --to {held.environment}`, and {held.environment} answers with it"
    release = "; `windlass release PROJECT`, and the next push takes the environment"
    released = held.hold.released is not None
    return Explanation(f"It {where}: {held.why}.", f"{promote}{'' if released else release}.")


def _ended(row: Deployment) -> Explanation:
    match row.phase, row.failure:
        case Phase.FAILED, Failure() as failure:
            return Explanation(f"It failed at the stage {failure.stage}: {failure.reason}", remedy(failure))
        case Phase.CANCELED, _ if row.was_skipped and row.cancellation is not None:
            next_step = "Deploy it by hand if you want it anyway, or change the paths in the project's settings."
            return Explanation(f"It was skipped. {row.cancellation.reason}", next_step)
        case Phase.CANCELED, _ if row.cancellation is not None:
            return Explanation(f"It was canceled. {row.cancellation.reason}", "Deploy again when you want it.")
        case Phase.CANCELED, _:
            return Explanation("It was canceled before it took an address.", "Deploy again when you want it.")
        case Phase.SUPERSEDED, _:
            sentence = f"A later request took its place: deployment {row.superseded_by}."
            return Explanation(sentence, "Look at the later one.")
        case _:
            return Explanation("It became live, confirmed by every proxy.", "Nothing: open its address.")
