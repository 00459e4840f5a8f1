"""What else is to be known of a deployment, a sentence each."""

import re
from datetime import timedelta

from windlass_contracts.lifecycle import Phase
from windlass_gateway.domain.bearings import Bearings, GivenUp
from windlass_gateway.domain.container import Container, ContainerState
from windlass_gateway.domain.deadlines import Awaited, awaited_restart
from windlass_gateway.domain.deployment import Deployment

QUIET = timedelta(seconds=20)
"""For how long an owner may append nothing before that is worth a remark."""


def remarks(row: Deployment, bearings: Bearings, waiting: Awaited | None) -> tuple[str, ...]:
    """Return the remarks on a deployment, the bad news first; `waiting` is what it waits for."""
    said = [*_looping(row), *(_given_up(one) for one in bearings.given_up)]
    queued = queued_remark(row, bearings)
    if queued is not None:
        said.append(queued)
    elif waiting is not None:
        said += _quiet(waiting, bearings)
    else:
        said += [*_kept(row), *_restarted(row)]
    said += [share.sentence for share in bearings.shares]
    if bearings.held_back is not None and not row.ended:
        said.append(f"It will be live at its own address and its branch's alone: {bearings.held_back.why}.")
    return tuple(said)


def queued_remark(row: Deployment, bearings: Bearings) -> str | None:
    """Say where it stands in the queue, and why it is not built yet; None where it waits for no build."""
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
    return [f"Its containers are paused, and kept for {keep} s from then on for an instant rollback."]
