"""The small process above each app: it outlives the control plane, and the app does not outlive it.

It writes the app's output to files, obeys commands on a socket, restarts the app once it is to be kept running, and
says in files what happened. It ends with the app. Standard library only, and few of its modules: there is one per app.
"""

import fcntl
import json
import os
import selectors
import signal
import socket
import sys
from time import monotonic, time_ns

from windlass_builder.adapters.processes.supervision.line_files import LineFiles
from windlass_builder.adapters.processes.supervision.order import Order, from_json
from windlass_builder.adapters.processes.supervision.record import (
    CONTROL_SOCKET,
    KEPT_FILE,
    LOCK_FILE,
    LOG_FOLDER,
    SPECIFICATION_FILE,
    STATE_FILE,
    append_event,
    write_whole,
)
from windlass_builder.adapters.processes.supervision.relay import Relay
from windlass_builder.adapters.processes.supervision.workload import Workload, become_reaper

_WATCH_EVERY = 0.5
_NEVER = float("inf")
_FIRST_BACKOFF, _LONGEST_BACKOFF = 0.1, 60.0
_LONG_ENOUGH = 10.0  # an app that ran that long starts a new row of attempts, as with Docker


class Supervisor:
    """Supervises the app of one runner; the working folder is the runner's, `events` that of the installation."""

    def __init__(self, order: Order, events: str) -> None:
        self._order = order
        self._events = events
        with open(SPECIFICATION_FILE, encoding="utf-8") as file:
            self._marks = json.load(file)["marks"]
        self._selector = selectors.DefaultSelector()
        self._output = LineFiles(LOG_FOLDER)
        self._control = _listen()
        self._selector.register(self._control, selectors.EVENT_READ, self._command)
        self._selector.register(child_signals(), selectors.EVENT_READ, self._child_signalled)
        self._state: dict[str, object] = {}
        self._restarts = 0
        self._backoff = _FIRST_BACKOFF
        self._paused = False
        self._stopping: list[socket.socket] = []
        self._waiting: list[socket.socket] = []
        self._kill_at = self._restart_at = self._watch_at = _NEVER
        self._app: Workload | None = None
        self._relay = None if order.console is None else Relay(self._selector, order.console)
        self._ending: dict[str, object] | None = None
        self._ended = False

    def run(self) -> None:
        """Return once the app, which was started, has ended for good."""
        while not self._ended:
            deadline = min(self._kill_at, self._restart_at, self._watch_at)
            wait = None if deadline == _NEVER else max(0.0, deadline - monotonic())
            for key, _ in self._selector.select(wait):
                key.data(key.fd)
            self._do_what_is_due(monotonic())
            if self._ending is not None and self._relay is not None and self._relay.drained:
                self._end(**self._ending)

    def abandon(self) -> None:
        """See to it that the app does not outlive its supervisor, should that have failed."""
        if self._app is not None:
            self._app.kill()
            self._app.finish()
            self._say("exited", "exited", exit_code=128 + signal.SIGKILL, out_of_memory=False)

    def _do_what_is_due(self, now: float) -> None:
        if self._app is not None:
            if now >= self._kill_at:
                self._app.kill()
                self._kill_at = _NEVER
            if now >= self._watch_at:
                self._app.watch()
                self._watch_at = now + _WATCH_EVERY
        elif now >= self._restart_at:
            self._restarts += 1
            self.start()

    def begin(self) -> None:
        """Start the app; one with a console starts once somebody is connected, who then misses nothing."""
        if self._relay is None:
            self.start()

    def start(self) -> None:
        self._restart_at = _NEVER
        self._watch_at = monotonic() + _WATCH_EVERY
        console = None if self._relay is None else self._relay.command_ends
        self._app = Workload(self._order, self._selector, self._output.write, console)
        if self._relay is not None:
            self._relay.begun()
        self._say("running", "started", started_at=time_ns())

    def _child_signalled(self, pipe: int) -> None:
        os.read(pipe, 4096)
        if self._app is None:
            return
        exit_code = self._app.reap()
        if exit_code is not None:
            self._exited(self._app, exit_code)

    def _exited(self, app: Workload, exit_code: int) -> None:
        app.finish()
        self._app = None
        self._paused = False
        self._watch_at = self._kill_at = _NEVER
        ending = {"exit_code": exit_code, "out_of_memory": app.out_of_memory}
        if self._relay is not None and not self._stopping:
            self._ending = dict(ending)  # once what it wrote is passed on
            return
        if self._stopping or not os.path.exists(KEPT_FILE):
            self._end(**ending)
            return
        if monotonic() - app.started_at >= _LONG_ENOUGH:
            self._backoff = _FIRST_BACKOFF
        self._restart_at = monotonic() + self._backoff
        self._backoff = min(self._backoff * 2, _LONGEST_BACKOFF)
        self._say("restarting", "exited", **ending)

    def _end(self, **ending: object) -> None:
        """Let go of everything before the end is said: who hears of it may start the runner again at once."""
        self._output.close()
        self._control.close()
        os.unlink(CONTROL_SOCKET)
        self._say("exited", "exited", **ending)
        for connection in self._stopping:
            _say(connection, ok=True)  # and kept open: that it closes means that this process has ended too
        self._ended = True

    def _say(self, status: str, event: str, **details: object) -> None:
        self._state = {"status": status, "restarts": self._restarts, **details}
        write_whole(STATE_FILE, self._state)
        append_event(self._events, {"event": event, "at": time_ns(), **self._marks, **details})

    def _command(self, _: int) -> None:
        connection, _address = self._control.accept()
        connection.settimeout(1.0)
        try:
            command = json.loads(connection.makefile("rb").readline() or b"{}")
        except (TimeoutError, ConnectionError, ValueError):  # one that does not speak like us gets no answer
            connection.close()
            return
        match command.get("command"):
            case "stop":
                self._stop(connection, float(command["grace"]))
            case "pause":
                self._pause()
                _answer(connection, ok=self._paused)
            case "resume":
                self._resume()
                _answer(connection, ok=self._app is not None)
            case "attach":
                self._attach(connection)
            case "wait":
                self._waiting.append(connection)  # it closes with this process
            case _:
                _answer(connection, ok=False)

    def _attach(self, connection: socket.socket) -> None:
        if self._relay is None:
            _answer(connection, ok=False)
            return
        _say(connection, ok=True)
        if not self._state:
            self.start()
        self._relay.connect(connection)

    def _stop(self, connection: socket.socket, grace: float) -> None:
        self._stopping.append(connection)
        if self._app is None:
            ended = self._ending or self._state or {"exit_code": 128 + signal.SIGTERM, "out_of_memory": False}
            self._end(exit_code=ended["exit_code"], out_of_memory=ended["out_of_memory"])
            return
        self._app.terminate()
        self._kill_at = min(self._kill_at, monotonic() + grace)
        self._resume()

    def _pause(self) -> None:
        if self._app is not None and not self._paused:
            self._app.freeze()
            self._paused = True
            self._watch_at = _NEVER  # what stands still uses no more than it did
            self._say("paused", "paused", started_at=self._state["started_at"])

    def _resume(self) -> None:
        if self._app is not None and self._paused:
            self._app.thaw()
            self._paused = False
            self._watch_at = monotonic() + _WATCH_EVERY
            self._say("running", "resumed", started_at=self._state["started_at"])


def main() -> None:
    """Supervise the app of the runner in the working folder; the order comes by standard input, secrets and all.

    The caller's process ends once the app is started, with 0; the supervisor is then nobody's child.
    """
    order = from_json(sys.stdin.buffer.readline())
    reading, writing = os.pipe()
    if os.fork():
        os.close(writing)
        os._exit(0 if os.read(reading, 1) else 1)
    os.setsid()
    with open(LOCK_FILE, "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        become_reaper()
        supervisor = Supervisor(order, events="../..")
        supervisor.begin()
        os.write(writing, b"1")
        os.close(writing)
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(0, 1)
        try:
            supervisor.run()
        finally:
            supervisor.abandon()
        os._exit(0)  # at once: the connections that are still open close with the process, and not before


def _listen() -> socket.socket:
    """Listen at a path relative to the working folder: absolute ones are soon longer than a socket's may be."""
    if os.path.exists(CONTROL_SOCKET):
        os.unlink(CONTROL_SOCKET)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(CONTROL_SOCKET)
    os.chmod(CONTROL_SOCKET, 0o600)
    listening.listen()
    return listening


def child_signals() -> int:
    """Return a pipe that becomes readable when a child ends."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # whoever ends the control plane does not mean the apps
    return reading


def _answer(connection: socket.socket, *, ok: bool) -> None:
    _say(connection, ok=ok)
    connection.close()


def _say(connection: socket.socket, *, ok: bool) -> None:
    try:
        connection.sendall(json.dumps({"ok": ok}).encode() + b"\n")
    except (TimeoutError, ConnectionError):  # the asker is gone; what was asked for is done
        return
