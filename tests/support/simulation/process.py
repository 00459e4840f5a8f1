"""One life of a service: its tasks, and the gate that each of its effects passes.

Between two effects nothing of it can be seen from outside, so that the scheduler decides at the gates alone: who goes
on, who waits, who dies there, and whose answer gets lost.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

from support.memory_runtime import PowerCut
from support.simulation.loop import VirtualLoop
from windlass_contracts.subjects import Service

if TYPE_CHECKING:
    from windlass_gateway.application.gateway import Gateway

T = TypeVar("T")
_ROUNDS = 100


class Way(Enum):
    """How an effect goes, as it is told."""

    DONE = ""
    UNDONE = " - fails"  # and had no effect
    UNANSWERED = " - done, but no answer comes"
    LAST = " - done, and it dies right then"  # before it knows


@dataclass(slots=True, eq=False)
class Gate:
    """Somebody waits to be let through. `failure` makes the error of an effect that fails; None where none can."""

    process: "Process"
    what: str
    opened: "asyncio.Future[Way]"
    failure: Callable[[], Exception] | None


CURRENT: ContextVar["Process | None"] = ContextVar("CURRENT", default=None)


@dataclass(slots=True, eq=False)
class Process:
    """`waiting` is where its gates are seen by the scheduler."""

    service: Service
    loop: VirtualLoop
    waiting: list[Gate]
    since: float = 0.0
    dead: bool = False
    dying: bool = False
    ready: bool = False
    gateway: "Gateway | None" = None
    tasks: "set[asyncio.Task[Any]]" = field(default_factory=set)
    main: "asyncio.Task[Any] | None" = None

    async def effect(
        self, what: str, act: Callable[[], Awaitable[T]], failure: Callable[[], Exception] | None = None
    ) -> T:
        """Wait for our turn, and do it: before that and after it, the process may die."""
        if self.dead or self.dying:
            raise PowerCut
        gate = Gate(self, what, self.loop.create_future(), failure)
        self.waiting.append(gate)
        try:
            way = await gate.opened
        finally:
            if gate in self.waiting:
                self.waiting.remove(gate)
        if way is Way.UNDONE and failure is not None:
            raise failure()
        result = await act()
        if way is Way.LAST:
            self.dying = True
            raise PowerCut
        if way is Way.UNANSWERED and failure is not None:
            raise failure()
        return result

    def spawn(self, work: Callable[[], Any], name: str) -> "asyncio.Task[Any]":
        """Begin something in this process."""
        token = CURRENT.set(self)
        try:
            return self.loop.create_task(work(), name=name)
        finally:
            CURRENT.reset(token)

    def own(self, task: "asyncio.Task[Any]") -> None:
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def kill(self) -> None:
        """Take all that it held in memory; nothing that it still tries has any effect."""
        self.dead = True
        for _ in range(_ROUNDS):
            tasks = list(self.tasks)
            if not tasks:
                break
            for task in tasks:
                task.cancel()
            self.loop.settle()
            for task in tasks:
                if task.done() and not task.cancelled():
                    task.exception()
        self.waiting[:] = [gate for gate in self.waiting if gate.process is not self]


def note_task(task: "asyncio.Task[Any]") -> None:
    """Say which process a new task belongs to."""
    process = CURRENT.get()
    if process is not None:
        process.own(task)
