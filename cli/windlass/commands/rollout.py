"""`windlass rollout`."""

from typing import Annotated

import typer

from windlass.api import Api, Json
from windlass.commands.paths import deployment_path, environment_path
from windlass.commands.running import AsJson, print_json, print_line, run
from windlass.commands.switching import stopped, switched
from windlass.errors import BadInputError

_ALL = 100


def rollout(
    deployment: Annotated[str, typer.Argument(help="Its id, or 4 or more characters of its beginning.")],
    weight: Annotated[
        int | None, typer.Option(help="Percent of the environment's requests, from 1 to 100: all of them.")
    ] = None,
    to: Annotated[str, typer.Option(help="The environment whose requests are shared.")] = "production",
    *,
    stop: Annotated[bool, typer.Option("--stop", help="Send it nothing any more.")] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the proxies do so.")] = True,
    as_json: AsJson = False,
) -> None:
    """Send a part of an environment's requests to a deployment, or stop that."""
    if stop == (weight is not None):
        raise BadInputError("It is not clear what to do.", "Say either --weight PERCENT or --stop.")
    if stop:
        _stop(deployment, to, wait=wait, as_json=as_json)
        return
    path, body = f"{deployment_path(deployment)}/weight", {"weight": weight, "to": to}
    done = run(lambda api: switched(api, path, body, wait=wait))
    if as_json:
        print_json(done)
    elif not wait:
        print_line(f"{weight} % of {done['environment']} for deployment {done['to']} were requested.")
    elif weight == _ALL:
        print_line(f"{done['environment']} of {done['project']} answers with deployment {done['to']}.")
    else:
        print_line(f"Deployment {done['to']} gets {weight} % of the requests of {done['environment']}.")


def _stop(deployment: str, environment: str, *, wait: bool, as_json: bool) -> None:
    async def ask(api: Api) -> Json:
        found = await api.get(deployment_path(deployment))
        path = f"{environment_path(found['project'], environment)}/rollout/stop"
        return await stopped(api, path, {"deployment": found["id"]}, wait=wait)

    done = run(ask)
    if as_json:
        print_json(done)
    elif not done["applied"]:
        print_line(f"The end of the rollout to {environment} of {done['project']} was requested.")
    else:
        print_line(f"All requests of {environment} of {done['project']} go to what answers there again.")
