"""Runs Git: no configuration but ours, no prompt, no hook, no credential but what it is shown, bounded in all ways."""

import asyncio
import os
import shlex
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from windlass_builder.adapters.git.showing import NOTHING, Shown

# Proxies and certificates are this machine's, not a person's; nothing else of our environment reaches Git.
_INHERITED = ("PATH", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE")
_HARMLESS = ("zeroPaddedFilemode", "missingSpaceBeforeDate", "badTimezone", "missingSpaceBeforeEmail", "missingEmail")
"""Flaws that old tools left in the history of respectable repositories."""
_SAFE_CONFIG = (
    ("core.hooksPath", "/dev/null"),
    ("credential.helper", ""),
    ("fetch.fsckObjects", "true"),  # no names like .. or .git, and no .gitmodules that would be taken for options
    *((f"fetch.fsck.{flaw}", "ignore") for flaw in _HARMLESS),
    ("gc.autoDetach", "false"),  # whatever Git starts ends with it
    ("http.lowSpeedLimit", "1000"),
    ("http.lowSpeedTime", "30"),
    ("safe.directory", "*"),  # a local repository may be somebody else's; nothing of it is run
)
# Of this machine's own keys and agent none is tried: a project is let in by its own deploy key, or not at all.
_SSH = (
    "ssh -F none -o BatchMode=yes -o ConnectTimeout=10 -o StrictHostKeyChecking=accept-new -o UpdateHostKeys=no "
    "-o GlobalKnownHostsFile=/dev/null -o ForwardAgent=no -o IdentityFile=none -o PreferredAuthentications=publickey"
)
LARGEST_FILE = 2 * 2**30
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
        self.known_hosts = home / "known_hosts"
        """The keys that hosts of SSH showed the first time, for all projects."""
        self._environment = {
            **{name: os.environ[name] for name in _INHERITED if name in os.environ},
            "HOME": str(home),
            "LC_ALL": "C",  # its words are all that tells one failure from another
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "false",
            "SSH_ASKPASS": "false",
            "GIT_ALLOW_PROTOCOL": ":".join(protocols),
            "GIT_PROTOCOL_FROM_USER": "0",
            "GIT_OPTIONAL_LOCKS": "0",
        }

    async def run(self, *arguments: str, kept_open: Sequence[int] = (), shown: Shown = NOTHING) -> GitAnswer:
        """Run `git` and return what it said; file descriptors in `kept_open` stay open as long as it runs.

        It shows the credential `shown`, and what it says never repeats it.

        Raises: TimeoutError, OutputTooLongError; then nothing of it runs any more.
        """
        process = await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            'ulimit -f "$1" && shift && exec git "$@"',
            "git",
            str(LARGEST_FILE // 512),
            *arguments,
            env={**self._environment, **_configuration(shown), "GIT_SSH_COMMAND": self._ssh(shown)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            pass_fds=(*kept_open, *shown.descriptors),
        )
        async with _ended_with_its_group(process), asyncio.timeout(self._timeout.total_seconds()):
            output, complaint = await asyncio.gather(_said(process, process.stdout), _said(process, process.stderr))
            await process.wait()
        if max(len(output), len(complaint)) > _MOST_OUTPUT:
            raise OutputTooLongError
        words = _without(shown, complaint.decode(errors="replace"))
        return GitAnswer(process.returncode or 0, output.decode(errors="replace"), words)

    def _ssh(self, shown: Shown) -> str:
        agent = "none" if shown.agent is None else shown.agent
        return f"{_SSH} -o UserKnownHostsFile={shlex.quote(str(self.known_hosts))} -o IdentityAgent={agent}"


def _configuration(shown: Shown) -> dict[str, str]:
    """Return configuration for Git's environment: an argument would be seen by everybody on this machine."""
    config = (*_SAFE_CONFIG, *shown.config)
    numbered: dict[str, str] = {}
    for number, (key, value) in enumerate(config):
        numbered |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return {"GIT_CONFIG_COUNT": str(len(config)), **numbered}


def _without(shown: Shown, words: str) -> str:
    for secret in shown.secrets:
        words = words.replace(secret, "***")
    return words


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
