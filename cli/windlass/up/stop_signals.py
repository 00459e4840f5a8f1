"""Ctrl-C: once to stop in order, twice to stop at once."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager


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
    heard = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup(1) means it
        heard.append(signal.SIGHUP)
    for number in heard:
        loop.add_signal_handler(number, signals.hear)
    try:
        yield signals
    finally:
        for number in heard:
            loop.remove_signal_handler(number)
