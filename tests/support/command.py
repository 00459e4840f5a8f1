"""The `windlass` command as a user runs it, against a gateway that the test serves."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.gateway_story import REPOSITORY
from support.http_server import served
from support.memory_gateway import TOKEN, MemoryGateway

WINDLASS = Path(sys.executable).with_name("windlass")
DEPLOY = ("deploy", "--git", REPOSITORY, "--ref", "main")


@dataclass(frozen=True)
class Outcome:
    """What a command wrote, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:  # noqa: ANN401 - the JSON of any command
        return json.loads(self.out)

    @property
    def documents(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True)
class Command:
    """Runs `windlass` in a folder, with an environment of its own."""

    folder: Path
    environment: Mapping[str, str]

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        """Start it and return its process: whoever starts it waits for it."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(("WINDLASS_", "XDG_"))}
        return await asyncio.create_subprocess_exec(
            WINDLASS,
            *arguments,
            cwd=self.folder,
            env={**own, "HOME": str(self.folder), "NO_COLOR": "1", "COLUMNS": "200", **self.environment},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def __call__(self, *arguments: str, stdin: bytes = b"") -> Outcome:
        process = await self.start(*arguments)
        return await finished(process, stdin)


async def finished(process: asyncio.subprocess.Process, stdin: bytes | None = None) -> Outcome:
    """Wait for the end of a command."""
    out, err = await process.communicate(stdin)
    assert process.returncode is not None
    return Outcome(process.returncode, out.decode(), err.decode())


@asynccontextmanager
async def command_for(gateway: MemoryGateway, folder: Path) -> AsyncIterator[Command]:
    """Yield a command that knows the gateway by the file that `windlass up` writes into its state folder."""
    async with served(gateway) as url:
        home = folder / ".windlass"
        home.mkdir()
        (home / "cli.json").write_text(json.dumps({"api_url": url, "token": TOKEN}))
        yield Command(folder, {})
