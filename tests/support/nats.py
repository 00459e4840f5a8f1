"""A real nats-server with JetStream, from the wheel that installs it beside the interpreter.

It has the users of an installation, with the rights that they have there, so that whatever a test has a service do
shows that those are enough. Who connects without a seed is the test itself, and may do everything.
"""

import hashlib
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nkeys

from support.server_process import ServerCommand, ServerProcess
from windlass_eventlog.jetstream.seeds import public_key
from windlass_eventlog.rights import USERS, server_users

NATS_SERVER = Path(sys.executable).with_name("nats-server")
_TESTER = "tester"


@contextmanager
def running_nats(folder: Path, sync: str = "always") -> Iterator[str]:
    """Serve JetStream from `folder` on a free loopback port; yields the URL. `sync` says how often files are synced."""
    folder.mkdir(parents=True, exist_ok=True)
    with ServerProcess(nats_command(folder, -1, sync)):
        yield f"nats://{_address(folder / 'nats.log')}"


def nats_command(folder: Path, port: int, sync: str = "always") -> ServerCommand:
    """Return how to start a server that keeps its data in `folder`; port -1 means any."""
    settings = {
        "host": "127.0.0.1",
        "port": port,
        "jetstream": {"store_dir": str(folder / "store"), "sync_interval": sync},
        "authorization": {"users": [{"user": _TESTER, "password": _TESTER}, *server_users(public_keys())]},
        "no_auth_user": _TESTER,
    }
    config = folder / "nats.conf"
    config.write_text(json.dumps(settings))
    return ServerCommand([str(NATS_SERVER), "--config", str(config)], b"Server is ready", folder / "nats.log")


def public_keys() -> dict[str, str]:
    return {user: public_key(_seed(user)) for user in USERS}


def seed_of(user: str, folder: Path) -> Path:
    """Write a user's seed into `folder`, and return the file: of every test's server the same."""
    file = folder / f"{user}.seed"
    file.write_text(_seed(user))
    return file


def _seed(user: str) -> str:
    raw = hashlib.sha256(user.encode()).digest()
    return str(nkeys.encode_seed(raw, nkeys.PREFIX_BYTE_USER).decode())


def _address(log: Path) -> str:
    """Return where the server listens, from its own log: the one place that is complete once it is ready."""
    found = re.search(r"Listening for client connections on (\S+)", log.read_text())
    assert found is not None
    return found[1]
