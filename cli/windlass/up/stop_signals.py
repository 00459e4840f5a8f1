"""Ctrl-C: once to stop in order, twice to stop at once."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopSignals:
    """What was asked for, as events to wait on."""

    def __init__(self) -> None:
        self.requested = asyncio.Event()
        self.forced = asyncio.Event()

    def hear(self) -> None:
        """Take note of one more request."""
        if self.requested.is_set():
            self.forced.set()
        self.requested.set()


@contextmanager
def stop_signals() -> Iterator[StopSignals]:
    """Listen to SIGINT, SIGTERM and SIGHUP (the terminal was closed)."""
    loop = asyncio.get_running_loop()
    signals = StopSignals()
    for number in _STOPPING:
        loop.add_signal_handler(number, signals.hear)
    try:
        yield signals
    finally:
        for number in _STOPPING:
            loop.remove_signal_handler(number)
