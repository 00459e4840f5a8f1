"""The commands `windlass up` and `windlass down`: their options and defaults."""

import ipaddress
from pathlib import Path
from typing import Annotated

import typer

from windlass.up.blueprint import RuntimePreference
from windlass.up.errors import NotRunningError
from windlass.up.home import Home
from windlass.up.narrator import narrator_for_stdout
from windlass.up.ports import LOOPBACK, PortRequests
from windlass.up.stopping import remove_apps, stop_running
from windlass.up.supervise import Options, supervise

HomeOption = Annotated[
    Path, typer.Option(envvar="WINDLASS_HOME", help="The state folder; each installation has its own.")
]
PublicPort = Annotated[
    int | None, typer.Option(min=1, max=65535, help="Apps answer on it; that of the last start, or 8080, by default.")
]
InternalPort = Annotated[int | None, typer.Option(min=1, max=65535, help="On loopback; a free one by default.")]


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError as error:
        raise typer.BadParameter("give an address, such as 127.0.0.1, or 0.0.0.0 for all of this machine") from error


AsJson = Annotated[bool, typer.Option("--json", help="What is said as JSON, one document a line.")]
RemoveApps = Annotated[bool, typer.Option("--apps", help="Remove its apps too: containers, networks, releases.")]
HowAppsRun = Annotated[RuntimePreference, typer.Option(help="auto: as containers, if an engine answers.")]
Builders = Annotated[
    int, typer.Option(min=1, max=16, envvar="WINDLASS_BUILDERS", help="How many builders share the queue of builds.")
]
Listen = Annotated[str, typer.Option(parser=_address, help="The address apps answer on; 0.0.0.0 is every one.")]


def up(  # noqa: PLR0913, PLR0917 - an option each
    home: HomeOption = Path(".windlass"),
    port: PublicPort = None,
    listen: Listen = LOOPBACK,
    gateway_port: InternalPort = None,
    nats_port: InternalPort = None,
    traefik_api_port: InternalPort = None,
    runtime: HowAppsRun = "auto",
    builders: Builders = 1,
    *,
    as_json: AsJson = False,
) -> None:
    """Run a whole installation on this machine, until Ctrl-C."""
    from windlass.up.product import WINDLASS  # noqa: PLC0415 - what prepares engines and images is for this command alone

    ports = PortRequests(port, listen, gateway_port, nats_port, traefik_api_port)
    supervise(Options(Home(home.absolute()), ports, runtime, builders), WINDLASS, narrator_for_stdout(as_json=as_json))


def down(home: HomeOption = Path(".windlass"), *, apps: RemoveApps = False, as_json: AsJson = False) -> None:
    """Stop the installation that `windlass up` runs here; its apps go on running."""
    from windlass.up.product import WINDLASS  # noqa: PLC0415 - as above

    state, narrator = Home(home.absolute()), narrator_for_stdout(as_json=as_json)
    was_running = stop_running(state, narrator)
    if apps:
        remove_apps(state, WINDLASS, narrator)
    elif not was_running:
        raise NotRunningError(f"Windlass is not running on {state.root}.", "Start it with `windlass up`.")
