"""One command with everything that it starts, watched by its supervisor: output, memory, threads, end.

Its supervisor is the reaper of what it leaves behind (PR_SET_CHILD_SUBREAPER): nothing escapes by forking twice.
Standard library only: supervisors import this.
"""

import ctypes
import os
import resource
import selectors
import signal
from collections.abc import Callable
from time import monotonic

from windlass_builder.adapters.processes.supervision.order import Order
from windlass_builder.adapters.processes.supervision.tree import count_threads, descendants, signal_each, uses_more_than

LONGEST_LINE = 2**20  # as with the engine; a secret must not straddle two lines
# PR_SET_PDEATHSIG and PR_SET_CHILD_SUBREAPER of <linux/prctl.h>
_PARENT_DEATH_SIGNAL, _SUBREAPER = 1, 36
_CHUNK = 256 * 1024


def become_reaper() -> None:
    """Make this process the parent of all orphans below it."""
    _prctl(_SUBREAPER, 1)


class Workload:
    """The command of `order`, running; `write` gets each line of its output with its stream, 1 or 2.

    With a `console`, which are its three standard streams, somebody else takes its output.
    """

    def __init__(
        self,
        order: Order,
        selector: selectors.BaseSelector,
        write: Callable[[int, bytes], None],
        console: tuple[int, int, int] | None = None,
    ) -> None:
        self._order = order
        self._selector = selector
        self._write = write
        self._open_lines: dict[int, bytes] = {}
        self._streams: dict[int, int] = {}
        self.out_of_memory = False
        self.out_of_threads = False
        self.started_at = monotonic()
        if console is not None:
            self.pid = _spawn(order, *console)
            return
        ends = [os.pipe() for _ in range(2)]
        self.pid = _spawn(order, None, ends[0][1], ends[1][1])
        for stream, (reading, writing) in enumerate(ends, start=1):
            os.close(writing)
            os.set_blocking(reading, False)
            self._streams[reading] = stream
            self._open_lines[reading] = b""
            selector.register(reading, selectors.EVENT_READ, self.read)

    def read(self, pipe: int) -> None:
        """Take what waits in the pipe."""
        if pipe not in self._streams:  # the end of the app, heard in the same moment, has emptied it
            return
        try:
            chunk = os.read(pipe, _CHUNK)
        except BlockingIOError:
            return
        if not chunk:
            self._close(pipe)
            return
        *lines, rest = (self._open_lines[pipe] + chunk).split(b"\n")
        self._open_lines[pipe] = rest
        for line in lines:
            self._write_pieces(pipe, line.removesuffix(b"\r"))
        while len(self._open_lines[pipe]) >= LONGEST_LINE:
            self._write(self._streams[pipe], self._open_lines[pipe][:LONGEST_LINE])
            self._open_lines[pipe] = self._open_lines[pipe][LONGEST_LINE:]

    def reap(self) -> int | None:
        """Bury what ended; return the exit code of the command, 128 + n after signal n, None while it runs."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return None
            if pid == self.pid:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code
            if pid == 0:
                return None

    def watch(self) -> None:
        """Kill the workload if it is past its limits."""
        pids = self._app()
        threads = count_threads(pids)
        self.out_of_threads = self.out_of_threads or threads >= self._order.threads
        self.out_of_memory = uses_more_than(pids, self._order.memory)
        if self.out_of_memory or threads > self._order.threads * 2:
            self.kill()

    def terminate(self) -> None:
        """Ask all processes of the app to end; those of the sandbox around it would take it along at once."""
        signal_each(self._app(), signal.SIGTERM)

    def freeze(self) -> None:
        frozen: set[int] = set()
        while fresh := set(self._app()) - frozen:  # what forked before its turn came
            signal_each(fresh, signal.SIGSTOP)
            frozen |= fresh

    def thaw(self) -> None:
        signal_each(self._app(), signal.SIGCONT)

    def kill(self) -> None:
        signal_each([self.pid, *descendants(self.pid)], signal.SIGKILL)

    def finish(self) -> None:
        """Kill what the command left behind, bury it, and take the rest of the output."""
        while left := descendants(os.getpid()):
            signal_each(left, signal.SIGKILL)
            try:
                os.waitpid(-1, 0)
            except ChildProcessError:
                break
        for pipe in list(self._streams):
            os.set_blocking(pipe, True)
            while pipe in self._streams:
                self.read(pipe)

    def _app(self) -> list[int]:
        return [self.pid, *descendants(self.pid)][self._order.wrappers :]

    def _close(self, pipe: int) -> None:
        if self._open_lines[pipe]:
            self._write(self._streams[pipe], self._open_lines[pipe])
        self._selector.unregister(pipe)
        os.close(pipe)
        del self._streams[pipe], self._open_lines[pipe]

    def _write_pieces(self, pipe: int, line: bytes) -> None:
        for start in range(0, max(len(line), 1), LONGEST_LINE):
            self._write(self._streams[pipe], line[start : start + LONGEST_LINE])


def _spawn(order: Order, stdin: int | None, stdout: int, stderr: int) -> int:
    """Start the command in a session of its own and return its process id."""
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY) if stdin is None else stdin, 0)
        os.dup2(stdout, 1)
        os.dup2(stderr, 2)
        _limit(order)
        os.chdir(order.folder)
        if order.user is not None:
            os.setgroups([])
            os.setresgid(order.user, order.user, order.user)
            os.setresuid(order.user, order.user, order.user)
        _prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        secrets = str(_sealed(order.secrets))
        command = [argument.replace("{secrets}", secrets) for argument in order.command[:-1]] + order.command[-1:]
        os.execve(command[0], command, order.environment)  # noqa: S606 - the command is what we are asked to run
    except OSError as error:
        os.write(2, f"The command could not be started: {error}\n".encode())
    finally:
        os._exit(126)


def _prctl(operation: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(operation, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), f"prctl({operation})")


def _limit(order: Order) -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    os.nice(order.niceness)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if order.file_size is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order.file_size, order.file_size))
    with open("/proc/self/oom_score_adj", "w", encoding="ascii") as score:
        score.write("500")  # where the machine runs out of memory, an app goes before the platform


def _sealed(text: str) -> int:
    """Return a file descriptor that the command inherits and from which it reads the text."""
    memory = os.memfd_create("secrets", 0)
    os.write(memory, text.encode())
    os.lseek(memory, 0, os.SEEK_SET)
    return memory
