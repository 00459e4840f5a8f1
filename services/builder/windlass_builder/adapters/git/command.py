"""Runs Git: with no configuration but ours, no prompt, no hook, no credentials, an end in time and a bounded size."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

# Proxies and certificates are this machine's, not a person's; nothing else of our environment reaches Git.
_INHERITED = ("PATH", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE")
_SAFE_OPTIONS = (
    "core.hooksPath=/dev/null",
    "credential.helper=",
    "gc.autoDetach=false",  # whatever Git starts ends with it
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=30",
    "safe.directory=*",  # a local repository may be somebody else's; nothing of it is run
)
_LARGEST_FILE = 2 * 2**30
_MOST_OUTPUT = 32 * 2**20  # the names of some 400,000 branches


class OutputTooLongError(Exception):
    """Git said more than anybody would read; it was stopped."""


@dataclass(frozen=True, slots=True)
class GitAnswer:
    exit_code: int
    output: str
    complaint: str


class GitCommand:
    """The `git` of this machine, confined to `home`. Protocols beyond the four of the network only where allowed."""

    def __init__(self, home: Path, timeout: timedelta, protocols: Sequence[str]) -> None:
        self._timeout = timeout
        self._environment = {
            **{name: os.environ[name] for name in _INHERITED if name in os.environ},
            "HOME": str(home),
            "LC_ALL": "C",  # its words are all that tells one failure from another
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "false",
            "SSH_ASKPASS": "false",
            "GIT_SSH_COMMAND": (
                "ssh -o BatchMode=yes -o ConnectTimeout=10 -o StrictHostKeyChecking=accept-new "
                f"-o UserKnownHostsFile='{home}/known_hosts' -F none"
            ),
            "GIT_ALLOW_PROTOCOL": ":".join(protocols),
            "GIT_PROTOCOL_FROM_USER": "0",
            "GIT_OPTIONAL_LOCKS": "0",
        }

    async def run(self, *arguments: str, kept_open: Sequence[int] = ()) -> GitAnswer:
        """Run `git` and return what it said; file descriptors in `kept_open` stay open as long as it runs.

        Raises: TimeoutError, OutputTooLongError; then nothing of it runs any more.
        """
        options = [part for option in _SAFE_OPTIONS for part in ("-c", option)]
        process = await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            'ulimit -f "$1" && shift && exec git "$@"',
            "git",
            str(_LARGEST_FILE // 512),
            *options,
            *arguments,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            pass_fds=kept_open,
        )
        async with _ended_with_its_group(process), asyncio.timeout(self._timeout.total_seconds()):
            output, complaint = await asyncio.gather(_said(process, process.stdout), _said(process, process.stderr))
            await process.wait()
        if max(len(output), len(complaint)) > _MOST_OUTPUT:
            raise OutputTooLongError
        return GitAnswer(process.returncode or 0, output.decode(errors="replace"), complaint.decode(errors="replace"))


async def _said(process: asyncio.subprocess.Process, pipe: asyncio.StreamReader | None) -> bytes:
    """Return what comes by the pipe until its end, and end the process where that is too much."""
    said = bytearray()
    while pipe is not None and (chunk := await pipe.read(2**16)):
        if len(said) > _MOST_OUTPUT:
            _kill_group(process)
        else:
            said += chunk
    return bytes(said)


def _kill_group(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@asynccontextmanager
async def _ended_with_its_group(process: asyncio.subprocess.Process) -> AsyncIterator[None]:
    """On the way out kill what still runs: Git's helpers for the network outlive a killed Git."""
    try:
        yield
    finally:
        if process.returncode is None:
            _kill_group(process)
            await process.wait()
