"""From the options of `windlass up` to a running installation."""

import asyncio
from dataclasses import dataclass

from windlass.up.blueprint import Blueprint, RuntimePreference
from windlass.up.front_door import front_door
from windlass.up.home import Home
from windlass.up.lock import children_lock, running_lock
from windlass.up.narrator import Narrator
from windlass.up.port_claims import port_claims
from windlass.up.ports import PortRequests, choose_ports
from windlass.up.remembered_runtime import remember_runtime, remembered_runtime
from windlass.up.service_settings import Surroundings
from windlass.up.session import Session


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line."""

    home: Home
    ports: PortRequests
    runtime: RuntimePreference = "auto"
    builders: int = 1


def supervise(options: Options, blueprint: Blueprint, narrator: Narrator) -> None:
    """Run the installation until it is asked to stop.

    Raises:
        UpError: it is running already, or could not be started.
    """
    home = options.home
    home.prepare()
    with running_lock(home) as lock, children_lock(home, narrator) as inherited, port_claims() as claims:
        ports = choose_ports(options.ports, home.ports, claims)
        runtime = blueprint.prepare_runtime(_preference(options), narrator)
        surroundings = Surroundings.of(home, options.ports.listen, ports, runtime.runtime, options.builders)
        remember_runtime(home, runtime.runtime)
        with front_door(options.ports.listen, ports.public) as door:
            asyncio.run(Session(blueprint, surroundings, runtime, lock, door, narrator).run(inherited))
    narrator.say("Stopped. Nothing is lost: `windlass up` goes on from here.")


def _preference(options: Options) -> RuntimePreference:
    """Return what was asked for, or else the runtime of the last start: `auto` never moves running apps."""
    return options.runtime if options.runtime != "auto" else remembered_runtime(options.home) or "auto"
