"""The dashboard by itself: the gateway's own HTTP server over real NATS and PostgreSQL, its log told by the test.

The other services stay away, and so does the keeper of deadlines, which would end what the story leaves unfinished.
"""

import asyncio
import secrets
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import asyncpg
from cryptography.fernet import Fernet
from pydantic import SecretStr

from support.dashboard_story import DashboardStory
from support.nats import running_nats, seed_of
from support.ports import free_port
from support.postgres import PostgresServer, running_postgres
from windlass_contracts.ids import TeamId
from windlass_contracts.subjects import Service
from windlass_eventlog.jetstream.provisioning import provision
from windlass_eventlog.postgres.records import migrate
from windlass_eventlog.rights import PROVISIONER
from windlass_eventlog.service import connected
from windlass_gateway import app
from windlass_gateway.adapters.records import RECORDS
from windlass_gateway.application.personal import Person
from windlass_gateway.application.projections import ALL
from windlass_gateway.domain.people import owner_id
from windlass_gateway.entrypoints.access.sessions import Session
from windlass_gateway.entrypoints.context import Context
from windlass_gateway.entrypoints.pages.rendering import compile_all
from windlass_gateway.entrypoints.server import listen, serve_http
from windlass_gateway.entrypoints.web import web
from windlass_gateway.settings import GatewaySettings

T = TypeVar("T")
INSTALLATION = "0a1b2c3d"
_PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Where it answers, and how to tell it what happened."""

    url: str
    context: Context
    loop: asyncio.AbstractEventLoop

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        """Do something where the gateway runs, and wait for it."""
        return asyncio.run_coroutine_threadsafe(doing, self.loop).result(_PATIENCE_SECONDS)

    def story(self) -> DashboardStory:
        """Return a teller of what the installation's owner does."""
        members = self.context.sessions.members
        caller = members.caller(owner_id(INSTALLATION), self.context.team)
        assert caller is not None
        return DashboardStory(self.context.gateway, caller)

    def cookie(self) -> dict[str, str]:
        """Return the cookie of a new session of the owner, as Playwright takes it."""
        session = Session.begun(owner_id(INSTALLATION), self.context.team, self.context.gateway.clock())
        name, _, rest = self.context.sessions.cookie(session, secure=False).partition("=")
        return {"name": name, "value": rest.partition(";")[0], "url": self.url}


@contextmanager
def running_dashboard(folder: Path, postgres: PostgresServer | None = None) -> Iterator[Dashboard]:
    """Serve one on a free port, with nothing in it, until the block is left."""
    with ExitStack() as stack:
        nats = stack.enter_context(running_nats(folder / "nats"))
        server = postgres or stack.enter_context(running_postgres())
        name = f"dashboard_{secrets.token_hex(6)}"
        settings = _settings(folder, nats, server.url(name))
        yield stack.enter_context(_in_a_thread(settings, _creating(server, name)))


@contextmanager
def _in_a_thread(settings: GatewaySettings, creating: Coroutine[Any, Any, None]) -> Iterator[Dashboard]:
    """Serve beside the caller's own loop: the browser's driver has one."""
    started = threading.Event()
    running: list[Dashboard] = []
    stop: list[Callable[[], object]] = []

    async def serve() -> None:
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        assert task is not None
        stop.append(partial(loop.call_soon_threadsafe, task.cancel))
        await creating
        async with _serving(settings) as context:
            running.append(Dashboard(f"http://127.0.0.1:{settings.gateway_port}", context, loop))
            started.set()
            await asyncio.Event().wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        except asyncio.CancelledError:
            return
        finally:
            started.set()

    thread = threading.Thread(target=run, name="dashboard")
    thread.start()
    try:
        started.wait(_PATIENCE_SECONDS)
        yield running[0]
    finally:
        stop[0]()
        thread.join(_PATIENCE_SECONDS)


@asynccontextmanager
async def _serving(settings: GatewaySettings) -> AsyncIterator[Context]:
    await provision(settings.nats_url.get_secret_value(), seed_of(PROVISIONER, settings.home))
    with listen(settings.gateway_port) as listener:
        async with connected(Service.GATEWAY, settings, projections=ALL) as link:
            await migrate(link.database, RECORDS)
            gateway = app._gateway(link)
            await gateway.personal.introduce(owner_id(settings.installation), Person(name="Owner"))
            context = app._context(gateway, settings, link)
            ready = asyncio.Event()
            async with asyncio.TaskGroup() as tasks:
                await asyncio.to_thread(compile_all)
                telling = tasks.create_task(context.hub.run())
                serving = tasks.create_task(serve_http(web(context), listener, context.closing, ready.set))
                await ready.wait()
                try:
                    yield context
                finally:
                    telling.cancel()
                    serving.cancel()


def _settings(folder: Path, nats_url: str, database_url: str) -> GatewaySettings:
    """Return settings without a seed: the story appends what all services append, as a user who may do everything."""
    keys = folder / "keys"
    keys.write_bytes(Fernet.generate_key())
    return GatewaySettings(
        installation=INSTALLATION,
        team=TeamId(uuid4()),
        node="node-1",
        home=folder,
        nats_url=SecretStr(nats_url),
        database_url=SecretStr(database_url),
        secrets_keys_file=keys,
        session_keys_file=keys,
        webhook_key=SecretStr(secrets.token_hex(32)),
        gateway_port=free_port(),
        api_token_sha256=sha256(b"wl-dashboard-token").hexdigest(),
    )


async def _creating(server: PostgresServer, name: str) -> None:
    connection = await asyncpg.connect(server.url("postgres"))
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()
