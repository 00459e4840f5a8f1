"""A real nats-server with JetStream, from the wheel that installs it beside the interpreter."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.server_process import ServerCommand, ServerProcess

NATS_SERVER = Path(sys.executable).with_name("nats-server")


@contextmanager
def running_nats(folder: Path, sync: str = "always") -> Iterator[str]:
    """Serve JetStream from `folder` on a free loopback port; yields the URL. `sync` says how often files are synced."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "nats.conf"
    config.write_text(
        f"""
        listen: "127.0.0.1:-1"
        jetstream {{ store_dir: "{folder / "store"}", sync_interval: {sync} }}
        """
    )
    command = ServerCommand([str(NATS_SERVER), "--config", str(config)], b"Server is ready", folder / "nats.log")
    with ServerProcess(command):
        yield f"nats://{_address(command.log)}"


def _address(log: Path) -> str:
    """Return where the server listens, from its own log: the one place that is complete once it is ready."""
    found = re.search(r"Listening for client connections on (\S+)", log.read_text())
    assert found is not None
    return found[1]
