"""The processes of a project's apps on this machine, as the kernel knows them, and as the log says they should be."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import psutil

_AFTER = {
    "container.started.v1": "running",
    "container.resumed.v1": "running",
    "container.paused.v1": "paused",
    "container.stopped.v1": "stopped",
}


def logged_states(events: Sequence[Mapping[str, Any]], project: str) -> Mapping[str, str]:
    """Return each deployment of the project that has a process by the log, and whether it runs or is paused."""
    said: dict[str, str] = {}
    for event in events:
        if event["type"] in _AFTER and event["project"] == project:
            said[event["about"]] = _AFTER[event["type"]]
    return {deployment: state for deployment, state in said.items() if state != "stopped"}


def wanted_states(events: Sequence[Mapping[str, Any]], project: str, current: str) -> Mapping[str, str]:
    """Return each deployment that should have a process: of all that there are, only the one that answers runs."""
    return {**dict.fromkeys(logged_states(events, project), "paused"), current: "running"}


def actual_states(project: str) -> Mapping[str, str]:
    """Return each deployment of the project that has a process, and whether that runs or is paused."""
    still: defaultdict[str, bool] = defaultdict(lambda: True)
    for process in psutil.process_iter():
        try:
            environment = process.environ()
            if environment.get("WINDLASS_PROJECT") == project:
                stands = process.status() == psutil.STATUS_STOPPED
                still[environment["WINDLASS_DEPLOYMENT"]] &= stands
        except psutil.Error:
            continue  # it ended meanwhile, or is somebody else's
    return {deployment: "paused" if stands else "running" for deployment, stands in still.items()}
