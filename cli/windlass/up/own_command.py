"""The supervisor as a user of its own installation: what it deploys and lists goes through the command."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from windlass.resources import examples
from windlass.up.home import Home
from windlass.up.narrator import Narrator

_EXAMPLE = "hello-python"
_IDENTITY = ("-c", "user.name=Windlass", "-c", "user.email=windlass@localhost")


async def deploy_example(home: Home, narrator: Narrator) -> None:
    """Deploy an example once, so that there is something to look at; that it fails is said, and no more."""
    repository = home.root / "examples" / _EXAMPLE
    if repository.exists():
        return
    await asyncio.to_thread(_make_repository, repository)
    narrator.say("Deploying an example.")
    deploy = ("deploy", "--git", repository.as_uri(), "--ref", "main", "--project", "hello")
    running = await _windlass(home, *deploy, output=STDOUT)
    if running.stdout is not None:
        async for line in running.stdout:
            narrator.say(f"  {line.decode(errors='replace').rstrip()}")
    if await running.wait():
        narrator.warn("The example did not go live; the platform itself runs.")


async def sign_in_link(home: Home) -> str | None:
    """Return a one-time link to the dashboard; None where none can be made now."""
    made = await _answer(home, "login-link")
    return None if made is None else str(made["url"])


async def apps_left_running(home: Home) -> Sequence[str]:
    """Return the addresses of the apps that go on running without the platform."""
    deployments = await _answer(home, "ps") or ()
    return [one["urls"][0] for one in deployments if one["current"] and one["urls"]]


async def _answer(home: Home, command: str) -> Any:  # noqa: ANN401 - the JSON of any command
    running = await _windlass(home, command, "--json", output=None)
    written, _ = await running.communicate()
    return None if running.returncode else json.loads(written)


async def _windlass(home: Home, *arguments: str, output: int | None) -> asyncio.subprocess.Process:
    environment = {**os.environ, "WINDLASS_HOME": str(home.root), "NO_COLOR": "1"}
    for name in ("WINDLASS_URL", "WINDLASS_TOKEN"):
        environment.pop(name, None)
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "windlass",
        *arguments,
        stdin=subprocess.DEVNULL,
        stdout=PIPE,
        stderr=output,
        env=environment,
    )


def _make_repository(repository: Path) -> None:
    """Make a repository whole or not at all: its folder tells that the example was deployed."""
    unfinished = repository.with_name(f"{repository.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(examples() / _EXAMPLE, unfinished)
    git = ("git", *_IDENTITY, "-C", str(unfinished))
    for arguments in (("init", "--quiet", "-b", "main"), ("add", "--all"), ("commit", "--quiet", "-m", "Say hello")):
        subprocess.run((*git, *arguments), check=True, stdin=subprocess.DEVNULL)  # noqa: S603 - our own words
    unfinished.rename(repository)
