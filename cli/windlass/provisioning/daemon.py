"""Starts dockerd where no systemd does: detached, so that apps outlive the platform, and awaited by its own word."""

import os
import select
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from windlass.provisioning.errors import EngineUnavailableError

START_SECONDS = 60
LAST_LINES = 4
LOG = Path("/var/log/windlass-dockerd.log")
# Docker's own pools allow for some 30 networks; every project needs one, so a thousand and more /24s are set aside.
# On the engine's own bridge, where steps of several projects' Dockerfiles run, nobody reaches anybody else.
COMMAND = ("dockerd", "--icc=false", "--default-address-pool", "base=10.64.0.0/10,size=24")


def start_daemon(command: Sequence[str] = COMMAND, log: Path = LOG, seconds: float = START_SECONDS) -> None:
    """Start the engine and return once it says that it is ready (sd_notify, at most `seconds`).

    Raises:
        EngineUnavailableError: it ended or stayed silent; carries the end of its log.
    """
    with tempfile.TemporaryDirectory(prefix="windlass-notify-") as folder, _listener(Path(folder)) as notifications:
        process = _spawn(command, log, {"NOTIFY_SOCKET": notifications.getsockname()})
        if not _said_ready(notifications, process, seconds):
            process.kill()
            process.wait()
            raise EngineUnavailableError(
                f"The Docker engine did not start: {_last_words(log)}.",
                f"Read {log}; an unprivileged container cannot run an engine, use its host's by DOCKER_HOST.",
            )
    # It is meant to live on without us: nobody waits for it, and nobody warns that nobody does.
    process.returncode = 0


def _listener(folder: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(folder / "notify"))
    return listener


def _spawn(command: Sequence[str], log: Path, add: dict[str, str]) -> "subprocess.Popen[bytes]":
    with log.open("ab") as output:
        try:
            return subprocess.Popen(  # noqa: S603 - a list of arguments, no shell
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **add},
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            raise EngineUnavailableError(f"{command[0]} cannot be run: {error}.", "Reinstall Docker.") from error


def _said_ready(notifications: socket.socket, process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    exited = os.pidfd_open(process.pid)
    try:
        while True:
            answered, _, _ = select.select([notifications.fileno(), exited], [], [], seconds)
            if notifications.fileno() not in answered:
                return False
            if b"READY=1" in notifications.recv(4096).split(b"\n"):
                return True
    finally:
        os.close(exited)


def _last_words(log: Path) -> str:
    """Return the end of the log: its last line alone may be but the tail of a sentence."""
    lines = log.read_text(errors="replace").split("\n")
    return " ".join(line.strip() for line in lines[-LAST_LINES:] if line.strip()) or "it said nothing"
