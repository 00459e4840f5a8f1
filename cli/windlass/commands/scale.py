"""`windlass scale`."""

import asyncio
from contextlib import aclosing
from typing import Annotated

import typer

from windlass.api import Api, Json
from windlass.commands.following import EventFollower
from windlass.commands.insisting import followed, patiently, requested
from windlass.commands.paths import deployment_path, project_path
from windlass.commands.running import AsJson, EnvironmentOption, print_json, print_line, run
from windlass.commands.tellers import Teller, teller_for
from windlass.errors import RefusedError

_NO_STATUS = 0


def scale(
    project: Annotated[str, typer.Argument(help="The project.")],
    replicas: Annotated[int, typer.Argument(help="In how many containers, 1 to 100.")],
    environment: EnvironmentOption = "production",
    *,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until so many run, and no more.")] = True,
    as_json: AsJson = False,
) -> None:
    """Let what is live run in so many containers, and every later deployment of the project."""
    teller = teller_for(silent=as_json)

    async def ask(api: Api) -> Json:
        body = {"replicas": replicas, "environment": environment}
        what = f"scaling {project} in {environment} to {replicas}"
        events = f"windlass events --project {project}"
        find_out = f"{events} --type deployment.scaled"
        accepted = await requested(api, f"{project_path(project)}/scale", body, what, find_out)
        if not wait:
            return accepted
        with teller.telling():
            return {**accepted, "replicas": await followed(_scaled(api, accepted, teller), what, events)}

    done = run(ask)
    if as_json:
        print_json(done)
    elif wait:
        print_line(f"{project} runs in {replicas} container{'' if replicas == 1 else 's'} in {environment}.")
    else:
        print_line(f"Scaling deployment {done['deployment']} to {replicas} was requested.")


async def _scaled(api: Api, accepted: Json, teller: Teller) -> Json:
    """Tell how many containers there are, each time that changes, until it is as was asked for.

    Raises:
        RefusedError: somebody scaled it again, or the containers are not healthy within their deadlines.
    """
    wanted, sequence = accepted["replicas"], accepted["sequence"]
    told = ""
    follower = EventFollower(api, sequence - 1, {"project": accepted["project"], "at_least": sequence})
    state, limits = await _state(api, accepted, sequence)
    try:
        async with asyncio.timeout(limits) as patience, aclosing(follower.follow()) as events:
            while True:
                if state["wanted"] != wanted:
                    raise RefusedError(_NO_STATUS, f"Somebody scaled it to {state['wanted']} meanwhile.", "Look again.")
                if state["healthy"] >= wanted and not state["leaving"]:
                    return state
                if (now := _said(state)) != told:
                    told = now
                    teller.say(told)
                    patience.reschedule(asyncio.get_running_loop().time() + limits)
                teller.begun(told)
                event = await anext(events)
                while event["about"] != accepted["deployment"]:
                    event = await anext(events)
                state, _ = await _state(api, accepted, event["sequence"])
    except TimeoutError:
        raise RefusedError(
            _NO_STATUS,
            f"It did not get there: {_said(state)}.",
            f"Its log says why: `windlass logs {accepted['deployment']}`. Windlass goes on trying.",
        ) from None


async def _state(api: Api, accepted: Json, sequence: int) -> tuple[Json, float]:
    """Return the containers of the deployment, and how long nothing may happen before something is wrong."""
    shown = await patiently(lambda: api.get(deployment_path(accepted["deployment"]), {"at_least": sequence}))
    limits, rules = shown["config"]["deadlines"], shown["config"]["retirement"]
    allowed = limits["start_s"] + limits["health_s"] + limits["route_s"] + rules["drain_s"] + 2 * rules["grace_s"]
    return shown["replicas"], float(allowed)


def _said(state: Json) -> str:
    leaving = f", {state['leaving']} about to go" if state["leaving"] else ""
    return f"{state['healthy']} of {state['wanted']} healthy{leaving}"
