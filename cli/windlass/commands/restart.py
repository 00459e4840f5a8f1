"""`windlass restart`."""

import time
from contextlib import aclosing
from typing import Annotated

import typer

from windlass.api import Api, Json
from windlass.commands.following import EventFollower
from windlass.commands.insisting import followed, requested
from windlass.commands.paths import project_path
from windlass.commands.running import AsJson, EnvironmentOption, print_json, print_line, run
from windlass.commands.tellers import Teller, teller_for
from windlass.errors import RefusedError
from windlass.terminal import duration, plain

_NO_STATUS = 0
_ID_LENGTH = 33
"""Of a deployment in its containers' names, with the dash."""
_STEPS = {
    "container.started.v1": "started",
    "health.passed.v1": "healthy",
    "container.stopped.v1": "stopped",
}


def restart(
    project: Annotated[str, typer.Argument(help="The project.")],
    environment: EnvironmentOption = "production",
    *,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until all containers are fresh.")] = True,
    as_json: AsJson = False,
) -> None:
    """Replace the containers of what is live by fresh ones, one by one, without a request lost.

    Exits with 0 once all are fresh and healthy, with 1 where it broke off.
    """
    teller = teller_for(silent=as_json)

    async def ask(api: Api) -> Json:
        since = time.monotonic()
        path, what = f"{project_path(project)}/restart", f"the restart of {project} in {environment}"
        asked_for = f"windlass events --project {project} --type restart.requested"
        accepted = await requested(api, path, {"environment": environment}, what, asked_for)
        replaced = None
        if wait:
            find_out = f"windlass explain {accepted['deployment'].replace('-', '')[:8]}"
            with teller.telling():
                replaced = await followed(_restarted(api, accepted, teller), what, find_out)
        return {**accepted, "replaced": replaced, "duration_ms": int((time.monotonic() - since) * 1_000)}

    done = run(ask)
    if as_json:
        print_json(done)
    elif wait:
        count, took = done["replaced"], duration(done["duration_ms"])
        print_line(f"{count} container{'' if count == 1 else 's'} of {project} gave way to fresh ones in {took}.")
    else:
        print_line(f"The restart of deployment {done['deployment']} was requested.")


def _short(name: str) -> str:
    """Return what the containers of a deployment are told apart by."""
    return f"container {plain(name.rpartition('-run-')[2][_ID_LENGTH:])}"


async def _restarted(api: Api, accepted: Json, teller: Teller) -> int:
    """Tell each step until it is over, and return how many containers gave way.

    Raises:
        RefusedError: it broke off.
    """
    follower = EventFollower(api, accepted["sequence"], {"project": accepted["project"]})
    teller.begun("Replacing the containers")
    async with aclosing(follower.follow()) as events:
        async for event in events:
            if event["about"] != accepted["deployment"]:
                continue
            data = event["data"]
            match event["type"]:
                case "restart.succeeded.v1" if data["request"] == accepted["request"]:
                    return int(data["replaced"])
                case "restart.failed.v1" if data["request"] == accepted["request"]:
                    raise RefusedError(_NO_STATUS, data["reason"], "The containers that were not replaced run on.")
                case kind if kind in _STEPS:
                    teller.say(f"{_short(data['container'])}: {_STEPS[kind]}")
    raise AssertionError  # the follower ends by an error only
