"""A real nats-server with JetStream, from the wheel that installs it beside the interpreter."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.server_process import ServerCommand, ServerProcess

NATS_SERVER = Path(sys.executable).with_name("nats-server")


@contextmanager
def running_nats(folder: Path) -> Iterator[str]:
    """Serve JetStream from `folder` on a free loopback port; yields the URL."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "nats.conf"
    config.write_text(
        f"""
        listen: "127.0.0.1:-1"
        ports_file_dir: "{folder}"
        jetstream {{ store_dir: "{folder / "store"}", sync_interval: always }}
        """
    )
    command = ServerCommand([str(NATS_SERVER), "--config", str(config)], b"Server is ready", folder / "nats.log")
    with ServerProcess(command):
        # NATS writes its ports just before it says that it is ready.
        (ports,) = folder.glob("*.ports")
        yield json.loads(ports.read_text())["nats"][0]
