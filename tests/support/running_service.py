"""A service as its supervisor runs it: settings in the environment, real NATS and PostgreSQL, stopped by cancelling."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from uuid import uuid4

from cryptography.fernet import Fernet

from support.nats import seed_of
from windlass_contracts.subjects import Service

INSTALLATION = "0a1b2c3d"
Serve = Callable[[Callable[[], None]], Awaitable[None]]


def settings_of_a_service(home: Path, nats_url: str, database_url: str, service: Service) -> Mapping[str, str]:
    """Return the environment of a service of its own installation, with its rights and new keys for secrets."""
    keys = home / "keys"
    keys.write_bytes(Fernet.generate_key())
    return {
        "WINDLASS_INSTALLATION": INSTALLATION,
        "WINDLASS_TEAM": str(uuid4()),
        "WINDLASS_NODE": "node-1",
        "WINDLASS_HOME": str(home),
        "WINDLASS_NATS_URL": nats_url,
        "WINDLASS_NATS_SEED_FILE": str(seed_of(service, home)),
        "WINDLASS_DATABASE_URL": database_url,
        "WINDLASS_SECRETS_KEYS_FILE": str(keys),
        "WINDLASS_RUNTIME": "process",
    }


@contextmanager
def environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Put settings into this process's environment for the time of the block."""
    before = dict(os.environ)
    os.environ.update(settings)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@asynccontextmanager
async def running(serve: Serve) -> AsyncIterator[None]:
    """Run a service from the moment that it is ready; leaving the block stops it as SIGTERM does."""
    started = asyncio.Event()
    service = asyncio.ensure_future(serve(started.set))
    ready = asyncio.ensure_future(started.wait())
    await asyncio.wait({service, ready}, return_when=asyncio.FIRST_COMPLETED)
    ready.cancel()
    if service.done():
        service.result()
    try:
        yield
    finally:
        service.cancel()
        await asyncio.wait({service})
        if not service.cancelled():
            service.result()
