"""`windlass up` with tiny services in place of the product's: `python -m support.stand_in_installation HOME PORT`.

Everything else is the product's own: NATS, PostgreSQL, Traefik, the services' parent, locks, signals.
"""

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import asyncpg
import nats
from nats.aio.client import Client

from windlass.errors import CommandError
from windlass.up.blueprint import Blueprint, Runtime, RuntimeChoice, RuntimePreference
from windlass.up.home import Home
from windlass.up.narrator import Narrator, narrator_for_stdout
from windlass.up.ports import PortRequests
from windlass.up.supervise import Options, supervise

SERVICES = ("gateway", "builder", "monitor", "router", "logs")


async def serve(started: Callable[[], None]) -> None:
    """Reach the log and the own database once, as every service does, then wait to be cancelled.

    Files in the state folder make a service misbehave: `<database>.broken` and `<database>.stubborn`.
    """
    home = Path(os.environ["WINDLASS_HOME"])
    connection = await _connection()
    await connection.close()
    database = await asyncpg.connect(os.environ["WINDLASS_DATABASE_URL"])
    name = await database.fetchval("SELECT current_database()")
    await database.close()
    if (home / f"{name}.broken").exists():
        raise RuntimeError("this service is broken")
    started()
    try:
        await asyncio.Event().wait()
    finally:
        if (home / f"{name}.stubborn").exists():
            await asyncio.Event().wait()


async def provision(_started: Callable[[], None]) -> None:
    """Make one stream."""
    connection = await _connection()
    await connection.jetstream().add_stream(name="EVENTS", subjects=["evt.>"], allow_direct=True)
    await connection.close()


async def keep(started: Callable[[], None]) -> None:
    """Keep nothing."""
    started()
    await asyncio.Event().wait()


async def _connection() -> Client:
    user = Path(os.environ["WINDLASS_NATS_SEED_FILE"])
    prefix = f"_INBOX_{user.stem}".encode()
    return await nats.connect(os.environ["WINDLASS_NATS_URL"], nkeys_seed=str(user), inbox_prefix=prefix)


def _prepare(_preference: RuntimePreference, _narrator: Narrator) -> RuntimeChoice:
    return RuntimeChoice("process", "A stand-in.")


async def _prepare_more(_runtime: Runtime, _narrator: Narrator) -> None:
    """Prepare nothing."""


async def _after_ready(_home: Home, narrator: Narrator) -> None:
    narrator.say("after ready")


async def _sign_in_link(_home: Home) -> str:
    return "http://windlass.localhost/sign-in?token=once"


async def _apps(_home: Home) -> Sequence[str]:
    return ["shop"]


BLUEPRINT = Blueprint(
    services=dict.fromkeys(SERVICES, f"{__spec__.name}:serve"),
    provision_log=f"{__spec__.name}:provision",
    keep_log=f"{__spec__.name}:keep",
    remove_apps=f"{__spec__.name}:provision",
    prepare_runtime=_prepare,
    prepare_more=_prepare_more,
    after_ready=_after_ready,
    sign_in_link=_sign_in_link,
    apps_left_running=_apps,
)


def main(home: str, port: str) -> None:
    supervise(Options(Home(Path(home)), PortRequests(int(port))), BLUEPRINT, narrator_for_stdout())


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except CommandError as error:
        sys.stderr.write(f"{error.what}\n{error.remedy}\n")
        sys.exit(error.exit_code)
