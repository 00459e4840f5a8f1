"""The supervisor's side of the services' common parent."""

import asyncio
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from windlass.up.child import Exit, Program, ProgramProcess, await_ready, start
from windlass.up.errors import StartError
from windlass.up.log_files import bound_log
from windlass.up.nursery_messages import REPORT, Exited, Fork, Forked, Preloaded, Ready, Signal

_PRELOAD_SECONDS = 60.0
_READY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Service:
    """A service to fork: `target` is `module:function`."""

    name: str
    target: str
    environment: Mapping[str, str]
    log: Path


class ServiceProcess:
    """A service that was forked."""

    def __init__(self, pid: int, writer: asyncio.StreamWriter) -> None:
        self._pid = pid
        self._writer = writer
        self.ready = asyncio.Event()
        self._ended: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()

    @property
    def pid(self) -> int:
        return self._pid

    async def exit(self) -> Exit:
        return await asyncio.shield(self._ended)

    def send(self, number: signal.Signals) -> None:
        if not self._ended.done():
            self._writer.write(Signal(pid=self._pid, number=number).line())

    def has_ended(self, how: Exit) -> None:
        if not self._ended.done():
            self._ended.set_result(how)


class _Link:
    """The connection to one parent process, for as long as it lives."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, on_lost: Callable[[], None]) -> None:
        self._reader = reader
        self._on_lost = on_lost
        self._writer = writer
        self._processes: dict[int, ServiceProcess] = {}
        self._forks: dict[str, asyncio.Future[ServiceProcess]] = {}
        self.preloaded = asyncio.Event()
        self.listening = asyncio.create_task(self._listen())

    async def fork(self, service: Service) -> ServiceProcess:
        forked: asyncio.Future[ServiceProcess] = asyncio.get_running_loop().create_future()
        self._forks[service.name] = forked
        order = Fork(
            name=service.name, target=service.target, environment=dict(service.environment), log=str(service.log)
        )
        self._writer.write(order.line())
        return await forked

    async def _listen(self) -> None:
        try:
            while line := await self._reader.readline():
                self._hear(REPORT.validate_json(line))
        except ConnectionResetError:  # as good as the end: it was killed with our orders unread
            pass
        finally:
            self._lose_all()

    def _hear(self, report: Preloaded | Forked | Ready | Exited) -> None:
        match report:
            case Preloaded():
                self.preloaded.set()
            case Forked(name=name, pid=pid):
                self._processes[pid] = process = ServiceProcess(pid, self._writer)
                forked = self._forks.pop(name)
                if forked.cancelled():  # who asked for it does not want it any more
                    process.send(signal.SIGKILL)
                else:
                    forked.set_result(process)
            case Ready(pid=pid):
                if pid in self._processes:  # it may have ended at once
                    self._processes[pid].ready.set()
            case Exited(pid=pid, code=code):
                self._processes.pop(pid).has_ended(Exit(code))

    def _lose_all(self) -> None:
        """The parent is gone, and the kernel kills its children."""
        self._on_lost()
        self._writer.close()
        for process in self._processes.values():
            process.has_ended(Exit(-signal.SIGKILL))
        for name, forked in self._forks.items():
            if not forked.cancelled():
                forked.set_exception(StartError(f"{name} lost its parent at its start.", "Run `windlass up` again."))


class Nursery:
    """Starts the services' parent, and services through it."""

    def __init__(self, modules: Sequence[str], log: Path, inherited: int) -> None:
        self._modules = modules
        self._log = log
        self._inherited = inherited
        self._link: _Link | None = None
        self._linked = asyncio.Event()

    async def launch(self) -> ProgramProcess:
        """Start the parent; returns once it has imported the modules.

        Raises:
            StartError: it ended before, or took more than 60 s.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            arguments = [sys.executable, "-m", "windlass.up.nursery_process"]
            program = Program(
                "services' parent",
                [*arguments, str(theirs.fileno()), str(self._inherited), *self._modules],
                self._log,
                environment={"PYTHONUNBUFFERED": "1"},
            )
            process = await start(program, [theirs.fileno(), self._inherited])
        link = _Link(*await asyncio.open_unix_connection(sock=ours), on_lost=self._linked.clear)
        await await_ready(program.name, process, _true(link.preloaded), self._log, _PRELOAD_SECONDS)
        self._link = link
        self._linked.set()
        return process

    async def fork(self, service: Service) -> ServiceProcess:
        """Start a service; returns once it says that it is ready.

        Raises:
            StartError: it ended before, or said nothing for 60 s.
        """
        process = await self._fork(service)
        await await_ready(service.name, process, _true(process.ready), service.log, _READY_SECONDS)
        return process

    async def run(self, job: Service) -> Exit:
        """Run something that ends on its own, as a service is run; returns how it ended."""
        process = await self._fork(job)
        try:
            return await process.exit()
        finally:
            process.send(signal.SIGKILL)

    async def _fork(self, service: Service) -> ServiceProcess:
        bound_log(service.log)
        while self._link is None or not self._linked.is_set():
            await self._linked.wait()  # the parent is being started (again)
        return await self._link.fork(service)


async def _true(event: asyncio.Event) -> None:
    await event.wait()
