"""The NATS server of an installation: JetStream on disk, reachable from this machine only."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from windlass.up.atomic_file import write_private
from windlass.up.child import Program, ProgramProcess, start_until_ready
from windlass.up.home import Home
from windlass.up.ports import LOOPBACK
from windlass.up.programs import nats_server
from windlass_eventlog.rights import server_users

_READY_SECONDS = 60.0
_MEMORY_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class NatsServer:
    """Where it listens and keeps its data."""

    home: Home
    name: str
    port: int
    public_keys: Mapping[str, str]
    """Of its users."""

    @classmethod
    def of(cls, home: Home, installation: str, port: int, public_keys: Mapping[str, str]) -> "NatsServer":
        return cls(home, f"windlass-{installation}", port, public_keys)

    @property
    def url(self) -> str:
        """What clients connect to, each with a seed of its own."""
        return f"nats://{LOOPBACK}:{self.port}"

    @property
    def log(self) -> Path:
        return self.home.log("nats")

    async def launch(self, inherited: int) -> ProgramProcess:
        """Start it; returns once clients can connect."""
        write_private(self._config, json.dumps(self._settings(), indent=2))
        program = Program("NATS", [nats_server(), "--config", str(self._config)], self.log)
        return await start_until_ready(program, [inherited], self._answers, _READY_SECONDS)

    @property
    def _config(self) -> Path:
        return self.home.nats / "nats.conf"

    def _settings(self) -> dict[str, object]:
        return {
            "server_name": self.name,
            "host": LOOPBACK,
            "port": self.port,
            "jetstream": {
                "store_dir": str(self.home.nats),
                "max_memory_store": _MEMORY_BYTES,
                # An acknowledged event is on the disk: the default syncs every two minutes, after the answer.
                "sync_interval": "always",
            },
            "authorization": {"users": server_users(self.public_keys)},
        }

    async def _answers(self, _pid: int) -> bool:
        """Tell whether our server greets; it listens to clients only after JetStream has recovered its streams."""
        try:
            reader, writer = await asyncio.open_connection(LOOPBACK, self.port)
        except ConnectionRefusedError:
            return False
        try:
            greeting = await reader.readline()
        finally:
            writer.close()
        return greeting.startswith(b"INFO ") and json.loads(greeting[5:])["server_name"] == self.name
