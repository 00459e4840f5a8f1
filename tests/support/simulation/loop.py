"""An event loop without a clock, a thread or a socket: time passes only when it is told to.

Everything that is ready runs in the order in which it became ready, until nothing is; then it is the scheduler's turn.
So a history depends on the scheduler's choices alone, and an hour costs nothing.
"""

import asyncio
import heapq
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from typing import Any, TypeVar

from support.memory_runtime import PowerCut

T = TypeVar("T")
_LONGEST_S = 60.0
_MOST_CALLS = 200_000
"""More calls than this between two choices are an endless loop of the code under test."""


class EndlessError(Exception):
    """Something goes on and on without waiting for anything."""


class _Call(asyncio.Handle):
    """A callback that is due at once, without all that asyncio keeps for debugging."""

    __slots__ = ()

    def __init__(self, callback: Callable[..., object], args: tuple[object, ...], context: Context) -> None:
        self._callback, self._args, self._context, self._cancelled = callback, args, context, False

    def cancel(self) -> None:
        self._cancelled = True


class _Timer(asyncio.TimerHandle):
    """A callback that is due later."""

    __slots__ = ()

    def __init__(
        self, when: float, callback: Callable[..., object], args: tuple[object, ...], context: Context
    ) -> None:
        self._when = when
        self._callback, self._args, self._context, self._cancelled = callback, args, context, False

    def cancel(self) -> None:
        self._cancelled = True


class VirtualLoop(asyncio.AbstractEventLoop):
    """The part of an event loop that code without I/O needs."""

    def __init__(self) -> None:
        self._now = 0.0
        self._ready: deque[_Call | _Timer] = deque()
        self._timers: list[tuple[float, int, _Timer]] = []
        self._count = 0
        self.created: Callable[[asyncio.Task[Any]], None] = lambda _: None
        self.complaints: list[dict[str, Any]] = []

    def settle(self) -> None:
        """Run all that is ready, and what becomes ready by it.

        Raises:
            EndlessError: that has no end.
        """
        ready = self._ready
        if not ready:
            return
        events._set_running_loop(self)
        calls = 0
        try:
            while ready:
                handle = ready.popleft()
                if not handle._cancelled:
                    self._run(handle)
                calls += 1
                if calls > _MOST_CALLS:
                    raise EndlessError(f"{handle._callback!r} goes on and on at {self._now:g} s.")
        finally:
            events._set_running_loop(None)

    def _run(self, handle: _Call | _Timer) -> None:
        try:
            handle._context.run(handle._callback, *handle._args)
        except Exception as error:  # noqa: BLE001 - told, as asyncio's own loops do
            self.call_exception_handler({"message": f"{handle._callback!r} failed", "exception": error})

    @property
    def next_timer(self) -> float | None:
        """When the next timer is due; None where there is none."""
        while self._timers and self._timers[0][2]._cancelled:
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def pass_time(self, at_most: float = _LONGEST_S) -> None:
        """Let seconds pass, up to the next timer; all that are due at that moment are ready then."""
        due, latest = self.next_timer, self._now + at_most
        self._now = latest if due is None or due > latest else max(self._now, due)
        while self._timers and self._timers[0][0] <= self._now:
            self._ready.append(heapq.heappop(self._timers)[2])

    def time(self) -> float:
        return self._now

    def call_soon(
        self, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.Handle:
        handle = _Call(callback, args, copy_context() if context is None else context)
        self._ready.append(handle)
        return handle

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now + max(delay, 0.0), callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.TimerHandle:
        handle = _Timer(when, callback, args, copy_context() if context is None else context)
        self._count += 1
        heapq.heappush(self._timers, (when, self._count, handle))
        return handle

    def create_future(self) -> "asyncio.Future[Any]":
        return asyncio.Future(loop=self)

    def create_task(  # type: ignore[override] # generators are no coroutines here
        self, coro: Coroutine[Any, Any, T], *, name: str | None = None, context: Context | None = None
    ) -> "asyncio.Task[T]":
        task = asyncio.Task(coro, loop=self, name=name, context=context)
        self.created(task)
        return task

    def run_in_executor(self, _executor: object, func: Callable[..., T], *args: object) -> "asyncio.Future[T]":
        """Do it at once: there are no threads."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - handed on
            future.set_exception(error)
        return future

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if not _is_power_cut(context.get("exception")):
            self.complaints.append(context)

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It is passed over when its time comes."""


def _is_power_cut(error: object) -> bool:
    """Tell whether it is nothing but the end of a process that was killed."""
    if isinstance(error, BaseExceptionGroup):
        return all(_is_power_cut(one) for one in error.exceptions)
    return isinstance(error, PowerCut)
