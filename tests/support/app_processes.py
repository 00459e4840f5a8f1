"""The processes of a project's apps on this machine, as the kernel knows them, and as the log says they should be."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import psutil

Event = Mapping[str, Any]
States = Mapping[tuple[str, str], int]
"""How many containers of a deployment are in a state, by the two."""

RUNNING, PAUSED = "running", "paused"
_AFTER = {
    "container.started.v1": RUNNING,
    "container.resumed.v1": RUNNING,
    "container.paused.v1": PAUSED,
    "container.stopped.v1": "",
}


def logged_containers(events: Sequence[Event], project: str) -> Mapping[str, tuple[str, str]]:
    """Return each container of the project that is there by the log: its deployment, and whether it runs."""
    said: dict[str, tuple[str, str]] = {}
    for event in events:
        if event["type"] in _AFTER and event["project"] == project:
            said[event["data"]["container"]] = (event["about"], _AFTER[event["type"]])
    return {container: known for container, known in said.items() if known[1]}


def wanted_states(events: Sequence[Event], project: str, current: str) -> States:
    """Return what there should be: of all that there are, only the one that answers runs, in as many as it wants."""
    others = (about for about, _ in logged_containers(events, project).values() if about != current)
    return {**Counter((about, PAUSED) for about in others), (current, RUNNING): replicas_of(events, current)}


def replicas_of(events: Sequence[Event], deployment: str) -> int:
    """Return in how many containers a deployment is to run: as it was asked for, or scaled since."""
    wanted = 0
    for event in events:
        if event["about"] == deployment:
            if event["type"] == "deployment.requested.v1":
                wanted = event["data"]["config"]["replicas"]
            elif event["type"] == "deployment.scaled.v1":
                wanted = event["data"]["replicas"]
    return wanted


def states_of(containers: Mapping[str, tuple[str, str]]) -> States:
    return Counter(containers.values())


def actual_states(project: str) -> States:
    """Return the containers of the project that are there, of one or several processes each, known by their port."""
    still: defaultdict[tuple[str, str], bool] = defaultdict(lambda: True)
    for process in psutil.process_iter():
        try:
            environment = process.environ()
            if environment.get("WINDLASS_PROJECT") == project:
                stands = process.status() == psutil.STATUS_STOPPED
                still[environment["WINDLASS_DEPLOYMENT"], environment["PORT"]] &= stands
        except psutil.Error:
            continue  # it ended meanwhile, or is somebody else's
    return Counter((deployment, PAUSED if stands else RUNNING) for (deployment, _), stands in still.items())
