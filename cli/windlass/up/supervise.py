"""From the options of `windlass up` to a running installation, and of `windlass down` to a stopped one."""

import asyncio
import os
import select
import signal
from dataclasses import dataclass

from windlass.up.blueprint import Blueprint, Runtime, RuntimePreference
from windlass.up.errors import NotRunningError, StateError
from windlass.up.home import Home
from windlass.up.installation import open_installation
from windlass.up.lock import children_lock, holder, running_lock
from windlass.up.narrator import Narrator
from windlass.up.nats_server import NatsServer
from windlass.up.ports import PortRequests, Ports, choose_ports
from windlass.up.postgres import Postgres
from windlass.up.service_settings import Surroundings
from windlass.up.session import Session
from windlass.up.traefik import Traefik

_DOWN_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line."""

    home: Home
    ports: PortRequests
    runtime: RuntimePreference = "auto"


def supervise(options: Options, blueprint: Blueprint, narrator: Narrator) -> None:
    """Run the installation until it is asked to stop.

    Raises:
        UpError: it is running already, or could not be started.
    """
    home = options.home
    home.prepare()
    with running_lock(home) as lock, children_lock(home, narrator) as inherited:
        ports = choose_ports(options.ports, home.ports)
        runtime = blueprint.prepare_runtime(options.runtime, narrator)
        surroundings = _surroundings(options, ports, runtime.runtime)
        asyncio.run(Session(blueprint, surroundings, runtime, lock, narrator).run(inherited))
    narrator.say("Stopped. Nothing is lost: `windlass up` goes on from here.")


def stop_running(home: Home, narrator: Narrator) -> None:
    """Ask the `windlass up` on this state folder to stop, and wait until it has.

    Raises:
        NotRunningError: there is none.
        StateError: it has not stopped within 90 s, or belongs to another user.
    """
    running = holder(home)
    if running is None or not running.pid:
        raise NotRunningError(f"Windlass is not running on {home.root}.", "Start it with `windlass up`.")
    try:
        # Not the number: another process could have it by now.
        process = os.pidfd_open(running.pid)
    except ProcessLookupError:
        return
    with narrator.step("Stopping Windlass"), os.fdopen(process) as ended:
        try:
            signal.pidfd_send_signal(ended.fileno(), signal.SIGTERM)
        except PermissionError as error:
            raise StateError(f"Process {running.pid} belongs to another user.", "Run this as that user.") from error
        if not select.select([ended], [], [], _DOWN_SECONDS)[0]:
            raise StateError(
                f"Windlass has not stopped within {_DOWN_SECONDS:.0f} s.",
                f"`kill -9 {running.pid}` ends it with all its processes; nothing acknowledged is lost.",
            )


def _surroundings(options: Options, ports: Ports, runtime: Runtime) -> Surroundings:
    home = options.home
    installation, credentials = open_installation(home)
    return Surroundings(
        home=home,
        installation=installation,
        credentials=credentials,
        ports=ports,
        nats=NatsServer.of(home, installation.id, ports.nats, credentials),
        postgres=Postgres.of(home, installation.id, credentials),
        traefik=Traefik(home, options.ports.listen, ports.public, ports.traefik_api, credentials.traefik_api_path),
        runtime=runtime,
    )
