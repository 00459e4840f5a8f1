"""`windlass restore-events`: makes the lost log of an installation again, while `windlass up` runs its servers."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from windlass.up.command import HomeOption
from windlass.up.errors import NotRunningError
from windlass.up.home import Home
from windlass.up.lock import holder
from windlass.up.ports import LOOPBACK, remembered_ports
from windlass.up.remembered_runtime import remembered_runtime
from windlass.up.service_settings import Surroundings

CopyArgument = Annotated[int | None, typer.Argument(min=1, help="The copy's number, where there are several.")]


def restore_events(copy: CopyArgument = None, home: HomeOption = Path(".windlass")) -> None:
    """Make a lost log again from the gateway's raw copy, while Windlass runs; its services stand still until then."""
    state = Home(home.absolute())
    if holder(state) is None:
        raise NotRunningError(
            f"Windlass is not running on {state.root}, and so neither are its NATS and PostgreSQL.",
            "Start it with `windlass up`: with an empty log its services do nothing, for their rows belong to another.",
        )
    command = [sys.executable, "-m", "windlass_gateway.restore_events", *([] if copy is None else [str(copy)])]
    # The command is ours, and its only argument a number.
    done = subprocess.run(command, env={**os.environ, **_settings(state)}, check=False)  # noqa: S603
    raise typer.Exit(done.returncode)


def _settings(home: Home) -> dict[str, str]:
    around = Surroundings.of(home, LOOPBACK, remembered_ports(home.ports), remembered_runtime(home) or "docker")
    seeds = str(home.nats_seed("gateway").parent)
    return {**around.settings_of("gateway"), "WINDLASS_NATS_SEED_FOLDER": seeds}
