"""The small process above a build: it passes the output on, line by line, and ends the build when its own input ends.

Its input is kept open by the builder: when the builder dies, the build dies. Standard library only.
"""

import json
import os
import selectors
import sys
from time import monotonic, time_ns

from windlass_builder.adapters.processes.supervision.order import from_json
from windlass_builder.adapters.processes.supervision.supervisor import child_signals
from windlass_builder.adapters.processes.supervision.workload import Workload, become_reaper

_WATCH_EVERY = 0.1


def main() -> None:
    """Run the order that comes by standard input; the last line of the output, `= {...}`, says how it ended."""
    order = from_json(_first_line(0))
    become_reaper()
    selector = selectors.DefaultSelector()
    signals = child_signals()
    build = Workload(order, selector, _write)
    exit_code = None
    selector.register(signals, selectors.EVENT_READ, lambda pipe: os.read(pipe, 4096))
    selector.register(0, selectors.EVENT_READ, lambda _: _abandon(selector, build))
    watch_at = monotonic() + _WATCH_EVERY
    while exit_code is None:
        for key, _ in selector.select(max(0.0, watch_at - monotonic())):
            key.data(key.fd)
        if monotonic() >= watch_at:
            build.watch()
            watch_at = monotonic() + _WATCH_EVERY
        exit_code = build.reap()
    build.finish()
    said = {"exit_code": exit_code, "out_of_memory": build.out_of_memory, "out_of_threads": build.out_of_threads}
    sys.stdout.buffer.write(b"= " + json.dumps(said).encode() + b"\n")
    sys.stdout.buffer.flush()


def _abandon(selector: selectors.BaseSelector, build: Workload) -> None:
    selector.unregister(0)
    build.kill()


def _write(stream: int, line: bytes) -> None:
    sys.stdout.buffer.write(b"%d %d %b\n" % (time_ns(), stream, line))
    sys.stdout.buffer.flush()


def _first_line(descriptor: int) -> bytes:
    """Read no further than the line's end: what follows is watched, not read."""
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(descriptor, 1)):
        line += byte
    return line
