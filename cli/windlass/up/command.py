"""The commands `windlass up` and `windlass down`: options in, sentences and an exit code out."""

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from windlass.up.blueprint import RuntimePreference
from windlass.up.errors import UpError
from windlass.up.home import Home
from windlass.up.narrator import narrator_for_stdout
from windlass.up.ports import LOOPBACK, PortRequests
from windlass.up.supervise import Options, stop_running, supervise

HomeOption = Annotated[
    Path, typer.Option(envvar="WINDLASS_HOME", help="The state folder; each installation has its own.")
]
PublicPort = Annotated[int, typer.Option(help="The port apps answer on.", min=1, max=65535)]
InternalPort = Annotated[int | None, typer.Option(min=1, max=65535, help="On loopback; a free one by default.")]


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError as error:
        raise typer.BadParameter("give an address, such as 127.0.0.1, or 0.0.0.0 for all of this machine") from error


HowAppsRun = Annotated[RuntimePreference, typer.Option(help="auto: as containers, if an engine answers.")]
Listen = Annotated[str, typer.Option(parser=_address, help="The address apps answer on; 0.0.0.0 is every one.")]


def up(  # noqa: PLR0913, PLR0917 - an option each
    home: HomeOption = Path(".windlass"),
    port: PublicPort = 8080,
    listen: Listen = LOOPBACK,
    gateway_port: InternalPort = None,
    nats_port: InternalPort = None,
    traefik_api_port: InternalPort = None,
    runtime: HowAppsRun = "auto",
) -> None:
    """Run a whole installation on this machine, until Ctrl-C."""
    from windlass.up.product import WINDLASS  # noqa: PLC0415 - what prepares engines and images is for this command alone

    ports = PortRequests(port, listen, gateway_port, nats_port, traefik_api_port)
    with errors_as_sentences():
        supervise(Options(Home(home.absolute()), ports, runtime), WINDLASS, narrator_for_stdout())


def down(home: HomeOption = Path(".windlass")) -> None:
    """Stop the installation that `windlass up` runs here; apps in containers go on running."""
    with errors_as_sentences():
        stop_running(Home(home.absolute()), narrator_for_stdout())


@contextmanager
def errors_as_sentences() -> Iterator[None]:
    """Say what happened and what to do about it, instead of a traceback; ends the command with a code that says so."""
    try:
        yield
    except UpError as error:
        typer.secho(f"{error.what}\n{error.remedy}", err=True, fg=typer.colors.RED)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        typer.echo("Interrupted: nothing was left running.", err=True)
        raise typer.Exit(130) from None
