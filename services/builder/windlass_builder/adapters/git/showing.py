"""How a credential reaches one Git process, and through it the one host that it is for: by descriptor or by an agent.

Never by arguments, environment, URL or a file: those are seen by others on this machine, or stay behind.
"""

import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from windlass_builder.adapters.git.ssh_agent import ssh_agent
from windlass_contracts.credential_values import DeployKey, Login


@dataclass(frozen=True, slots=True)
class Shown:
    """What one Git process is told: further configuration, what it inherits, and where its SSH agent is."""

    config: tuple[tuple[str, str], ...] = ()
    descriptors: tuple[int, ...] = ()
    agent: Path | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """What it must not repeat."""

    def __bool__(self) -> bool:
        return bool(self.descriptors) or self.agent is not None


NOTHING = Shown()


@asynccontextmanager
async def showing(credential: DeployKey | Login | None, url: str) -> AsyncIterator[Shown]:
    """Let Git processes show the credential to the host of the URL, for as long as the block lasts."""
    async with AsyncExitStack() as stack:
        match credential:
            case None:
                yield NOTHING
            case DeployKey(private_key=private_key):
                yield Shown(agent=await stack.enter_async_context(ssh_agent(private_key)))
            case Login():
                file = stack.enter_context(_in_memory())
                file.write(f"username={credential.user}\npassword={credential.password}\n".encode())
                file.flush()
                yield Shown(
                    config=tuple(_helper(url, file.fileno()).items()),
                    descriptors=(file.fileno(),),
                    secrets=(credential.password,),
                )


def _helper(url: str, descriptor: int) -> Mapping[str, str]:
    """Return a credential helper for that host and port alone; each time it is asked, it reads from the beginning."""
    parts = urlsplit(url)
    place = f"{parts.scheme}://{parts.netloc}"
    return {
        f"credential.{place}.helper": f'!f() {{ test "$1" = get && cat /dev/fd/{descriptor}; }}; f',
        "http.followRedirects": "false",
    }


def _in_memory() -> BinaryIO:
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("credential"), "wb")
    return tempfile.TemporaryFile()
