"""The services' common parent: imports what all of them need once, then forks each of them, so that they share it.

A process of its own, not the supervisor: forking is safe only where there is one thread and no event loop, and the
supervisor answers at the terminal before these imports are done. Single-threaded by design.

    python -m windlass.up.nursery_process CONTROL_DESCRIPTOR INHERITED_DESCRIPTOR MODULE...
"""

import gc
import importlib
import os
import selectors
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Sequence

from windlass.up.nursery_messages import ORDER, Exited, Fork, Forked, Preloaded, Ready, Signal
from windlass.up.service_process import become_service

_LARGEST_ORDER_BYTES = 64 * 1024


class NurseryProcess:
    """Serves the orders that come over `control` until the supervisor closes it."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._received = b""
        self._selector = selectors.DefaultSelector()
        self._wakeup, self._wakeup_end = socket.socketpair()
        self._children: set[int] = set()

    def serve(self) -> None:
        """Answer orders, report who is ready and who has ended."""
        for end in (self._wakeup, self._wakeup_end):
            os.set_blocking(end.fileno(), False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # without a handler nothing is written to the descriptor
        signal.set_wakeup_fd(self._wakeup_end.fileno(), warn_on_full_buffer=False)
        self._selector.register(self._control, selectors.EVENT_READ)
        self._selector.register(self._wakeup, selectors.EVENT_READ)
        self._control.sendall(Preloaded().line())
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._control:
                    if not self._receive():
                        return
                elif key.fileobj is self._wakeup:
                    self._reap()
                else:
                    self._hear_ready(key.fd, key.data)

    def _receive(self) -> bool:
        data = self._control.recv(_LARGEST_ORDER_BYTES)
        *lines, self._received = (self._received + data).split(b"\n")
        for line in lines:
            order = ORDER.validate_json(line)
            if isinstance(order, Fork):
                self._fork(order)
            else:
                self._signal(order)
        return bool(data)

    def _fork(self, order: Fork) -> None:
        ready_end, started_end = os.pipe()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            for ours in (self._control, self._wakeup, self._wakeup_end, self._selector):
                ours.close()
            os.close(ready_end)
            become_service(order, parent, started_end)
        os.close(started_end)
        self._children.add(pid)
        self._selector.register(ready_end, selectors.EVENT_READ, data=pid)
        self._control.sendall(Forked(name=order.name, pid=pid).line())

    def _signal(self, order: Signal) -> None:
        # Only what has not been reaped: its id cannot belong to anybody else yet.
        if order.pid in self._children:
            os.kill(order.pid, order.number)

    def _hear_ready(self, descriptor: int, pid: int) -> None:
        if os.read(descriptor, 1):
            self._control.sendall(Ready(pid=pid).line())
        self._selector.unregister(descriptor)
        os.close(descriptor)

    def _reap(self) -> None:
        self._wakeup.recv(_LARGEST_ORDER_BYTES)
        for child in sorted(self._children):
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                self._children.discard(pid)
                self._control.sendall(Exited(pid=pid, code=os.waitstatus_to_exitcode(status)).line())


def preload(modules: Sequence[str]) -> None:
    """Import the modules; one that fails is left to its service, whose own log then says why it cannot start."""
    for module in modules:
        try:
            importlib.import_module(module)
        except Exception:  # noqa: BLE001 - whatever a module raises, the other services start
            traceback.print_exc()
    if threading.active_count() > 1:
        print(f"threads after the imports, forks are unsafe: {threading.enumerate()}", flush=True)  # noqa: T201 - our log
    gc.collect()
    gc.freeze()  # the collector would write to, and so unshare, the pages of all that was imported


def main(control: int, inherited: int, modules: Sequence[str]) -> None:
    """Preload and serve."""
    gc.disable()
    os.set_inheritable(inherited, False)  # for our forks, not for what they execute  # noqa: FBT003 - positional only
    preload(modules)
    NurseryProcess(socket.socket(fileno=control)).serve()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
