"""What happens in a service's own process, from the fork to its end."""

import asyncio
import gc
import importlib
import os
import signal
import sys
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NoReturn

import uvloop

from windlass.up.log_files import open_log
from windlass.up.nursery_messages import Fork
from windlass.up.parentage import end_with_parent, name_this_process

Serve = Callable[[Callable[[], None]], Awaitable[None]]


def become_service(order: Fork, parent: int, started: int) -> NoReturn:
    """Turn the process that was just forked into the service, and end it with the service.

    `started` is the descriptor that gets one byte when the service is ready.
    """
    code = 1
    try:
        _detach(order, parent)
        code = _run(order.target, started)
    except BaseException:  # noqa: BLE001 - this is the top of the process: the log says why, the exit code that
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # not sys.exit: above us on the stack stands the parent's loop


def _detach(order: Fork, parent: int) -> None:
    """Leave behind what belongs to the parent: session, signals, output, environment."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    end_with_parent(parent, signal.SIGKILL)
    name_this_process(f"wl-{order.name}")
    log = open_log(Path(order.log))
    os.dup2(log, sys.stdout.fileno())
    os.dup2(log, sys.stderr.fileno())
    os.close(log)
    sys.stdout = os.fdopen(sys.stdout.fileno(), "w", buffering=1, encoding="utf-8", closefd=False)
    os.environ.update(order.environment)  # what we do not set ourselves can be set in the shell that started us
    gc.enable()


def _run(target: str, started: int) -> int:
    module, _, function = target.partition(":")
    serve: Serve = getattr(importlib.import_module(module), function)

    unsaid = [started]

    def say_started() -> None:
        while unsaid:  # it may be said more than once
            descriptor = unsaid.pop()
            os.write(descriptor, b"!")
            os.close(descriptor)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_until_terminated(serve(say_started)))


async def _until_terminated(service: Awaitable[None]) -> int:
    """Run the service; SIGTERM cancels it, and gives it the time it needs to clean up."""
    task = asyncio.ensure_future(service)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        return 0
    return 0
