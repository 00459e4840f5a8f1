"""What `windlass doctor` looks at: the installation through its API, and the machine under it."""

import asyncio
import shutil
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx

from windlass.api import Api, Json
from windlass.commands.isolation import check_isolation
from windlass.commands.service_checks import check_services
from windlass.commands.verdict import Check, Verdict
from windlass.connection import Connection, find_connection
from windlass.errors import CommandError
from windlass.terminal import plain
from windlass.up.home import Home
from windlass.up.remembered_runtime import remembered_runtime

_GIB = 1024**3
_LITTLE_DISK = 2 * _GIB
_NO_DISK = _GIB // 4
_MUCH_LAG = 1_000
_SOCKET = "/var/run/docker.sock"
_PATIENCE_SECONDS = 3.0


async def check_all(environment: Mapping[str, str], folder: Path) -> list[Check]:
    """Return everything that could be looked at."""
    home = Path(environment.get("WINDLASS_HOME") or folder / ".windlass")
    contained = remembered_runtime(Home(home)) != "process"
    machine = [*await _machine(environment.get("DOCKER_HOST", ""), contained=contained), _disk(home)]
    try:
        connection = find_connection(environment, folder)
    except CommandError as error:
        return [Check("client", Verdict.BAD, error.what, error.remedy), *machine]
    return [*await _installation(connection), *machine]


async def _installation(connection: Connection) -> list[Check]:
    try:
        async with Api(connection) as api:
            status = await api.get("/status")
            services = await check_services(api, status["services"])
    except CommandError as error:
        return [Check("api", Verdict.BAD, error.what, error.remedy)]
    return [
        Check("api", Verdict.GOOD, f"{connection.url} answers and knows the token."),
        _version(status["version"]),
        _log(status["log"]),
        *services,
        await _proxy(status),
    ]


def _version(theirs: str) -> Check:
    ours = version("windlass")
    if ours == theirs:
        return Check("version", Verdict.GOOD, f"Windlass {theirs}.")
    remedy = "Use the command of the same release as the installation."
    return Check("version", Verdict.WARNING, f"The installation is {plain(theirs)}, this command {ours}.", remedy)


def _log(log: Json) -> Check:
    if not log["ready"]:
        remedy = "See logs/nats.log and logs/postgres.log in the state folder; `windlass up` starts both again."
        return Check("log", Verdict.BAD, f"The event log or the database is away: {plain(log['why'])}", remedy)
    says = f"NATS and PostgreSQL answer; {log['head']} events, {log['lag']} of them not read yet."
    if log["lag"] > _MUCH_LAG:
        return Check("log", Verdict.WARNING, says, "The gateway is catching up; ask again in a moment.")
    return Check("log", Verdict.GOOD, says)


async def _proxy(status: Json) -> Check:
    """Ask for the installation's own address where apps answer: only the proxy can answer there."""
    port, host = status["http_port"], f"windlass.{status['domain']}"
    remedy = "See logs/traefik.log and logs/router.log in the state folder."
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=_PATIENCE_SECONDS) as client:
            answer = await client.get(f"http://127.0.0.1:{port}/healthz", headers={"Host": f"{host}:{port}"})
    except httpx.HTTPError as error:
        says = f"Nothing answers on port {port}, where apps should: {type(error).__name__}."
        return Check("proxy", Verdict.BAD, says, remedy)
    if answer.is_success:
        return Check("proxy", Verdict.GOOD, f"Traefik answers on port {port} and reaches the gateway.")
    says = f"Port {port} answers {answer.status_code} for {host}: another program, or routes that are not written yet."
    return Check("proxy", Verdict.WARNING, says, remedy)


async def _machine(docker_host: str, *, contained: bool) -> list[Check]:
    """Look at the engine, and at the walls around its containers where these are this machine's."""
    engine = await _engine(docker_host)
    if not contained or engine.verdict is not Verdict.GOOD or sys.platform != "linux":
        return [engine]
    return [engine, await asyncio.to_thread(check_isolation, docker_host or f"unix://{_SOCKET}")]


async def _engine(docker_host: str) -> Check:
    path = docker_host.removeprefix("unix://") or _SOCKET
    if not path.startswith("/"):
        return Check("engine", Verdict.WARNING, f"DOCKER_HOST is {plain(docker_host)}, no socket of this machine.")
    try:
        async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=path), timeout=_PATIENCE_SECONDS) as client:
            answer: Any = (await client.get("http://docker/version")).json()
    except (httpx.HTTPError, ValueError):
        says = f"No Docker engine answers at {path}: apps can only run as processes, without isolation."
        return Check("engine", Verdict.WARNING, says, "Install or start Docker, then run `windlass up` again.")
    return Check("engine", Verdict.GOOD, f"Docker {plain(str(answer.get('Version')))} answers.")


def _disk(home: Path) -> Check:
    place = next(folder for folder in (home, *home.absolute().parents) if folder.is_dir())
    free = shutil.disk_usage(place).free
    says = f"{free / _GIB:.1f} GiB are free at {place}."
    if free < _NO_DISK:
        return Check("disk", Verdict.BAD, says, "Free some space: the event log cannot grow any more soon.")
    if free < _LITTLE_DISK:
        return Check("disk", Verdict.WARNING, says, "Free some space before long.")
    return Check("disk", Verdict.GOOD, says)
