"""What a supervisor leaves for others to read: the runner's state, and the events of all runners of the installation.

Standard library only: supervisors import this.
"""

import fcntl
import json
import os

STATE_FILE = "state.json"
SPECIFICATION_FILE = "runner.json"
KEPT_FILE = "kept"
CONTROL_SOCKET = "control"
LOCK_FILE = "lock"
LOG_FOLDER = "log"
EVENTS_FILE = "events.jsonl"
EARLIER_EVENTS_FILE = "events.1.jsonl"

_LARGEST_EVENTS_FILE = 4 * 2**20


def write_whole(path: str, value: object) -> None:
    """Put the value there as JSON, at once or not at all."""
    draft = f"{path}.new"
    with open(draft, "w", encoding="utf-8") as file:
        json.dump(value, file)
    os.replace(draft, path)


def append_event(folder: str, event: dict[str, object]) -> None:
    """Append the event to the installation's events; a file that has grown large becomes the earlier one."""
    path = f"{folder}/{EVENTS_FILE}"
    with open(f"{folder}/{EVENTS_FILE}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(event) + "\n")
            grown = file.tell() >= _LARGEST_EVENTS_FILE
        if grown:
            os.replace(path, f"{folder}/{EARLIER_EVENTS_FILE}")
