"""`windlass down`: stops a running installation, and on request what it runs."""

import asyncio
import os
import select
import signal

from windlass.up.blueprint import Blueprint
from windlass.up.child import Program, run_to_end
from windlass.up.errors import NotRunningError, StateError
from windlass.up.home import Home
from windlass.up.job_process import job_command
from windlass.up.lock import holder, running_lock
from windlass.up.narrator import Narrator
from windlass.up.ports import LOOPBACK, remembered_ports
from windlass.up.remembered_runtime import remembered_runtime
from windlass.up.service_settings import Surroundings

_DOWN_SECONDS = 90.0


def stop_running(home: Home, narrator: Narrator) -> bool:
    """Ask the `windlass up` on this state folder to stop, wait until it has, and tell whether there was one.

    Raises:
        StateError: it has not stopped within 90 s, or belongs to another user.
    """
    running = holder(home)
    if running is None or not running.pid:
        return False
    try:
        # Not the number: another process could have it by now.
        process = os.pidfd_open(running.pid)
    except ProcessLookupError:
        return True  # it ended just now
    try:
        with narrator.step("Stopping Windlass"):
            _terminate(process, running.pid)
    finally:
        os.close(process)
    return True


def remove_apps(home: Home, blueprint: Blueprint, narrator: Narrator) -> None:
    """Remove everything that an installation, which is not running, has left running for its apps.

    Raises:
        NotRunningError: there is no installation in this folder.
        AlreadyRunningError: it is running.
        StartError: the job that removes failed.
    """
    if not home.installation.exists():
        raise NotRunningError(f"There is no installation in {home.root}.", "Name its folder with --home.")
    with running_lock(home), narrator.step("Removing apps"):
        around = Surroundings.of(home, LOOPBACK, remembered_ports(home.ports), remembered_runtime(home) or "docker")
        log = home.log("removing")
        job = Program("removing apps", job_command(blueprint.remove_apps), log, around.settings_of("builder"))
        asyncio.run(run_to_end(job, []))


def _terminate(process: int, pid: int) -> None:
    try:
        signal.pidfd_send_signal(process, signal.SIGTERM)
    except PermissionError as error:
        raise StateError(f"Process {pid} belongs to another user.", "Run this as that user.") from error
    if not select.select([process], [], [], _DOWN_SECONDS)[0]:
        raise StateError(
            f"Windlass has not stopped within {_DOWN_SECONDS:.0f} s.",
            f"`kill -9 {pid}` ends it with all its processes; nothing acknowledged is lost.",
        )
