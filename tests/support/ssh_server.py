"""A real SSH server of this test's own: a plain process on a high port, with its own host key."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from getpass import getuser
from pathlib import Path

from support.ports import free_port

_SSHD = "/usr/sbin/sshd"
_PATIENCE_S = 60


@dataclass(frozen=True)
class SshServer:
    """The server. Who signs in becomes the user who runs the tests."""

    port: int
    authorized: Path

    @property
    def host(self) -> str:
        return f"localhost:{self.port}"

    def url(self, repository: Path) -> str:
        return f"ssh://{getuser()}@{self.host}{repository}"

    def admit(self, public_key: str) -> None:
        self.authorized.write_text(f"restrict {public_key}\n")


def has_sshd() -> bool:
    return Path(_SSHD).exists()


@contextmanager
def ssh_server(folder: Path, port: int | None = None) -> Iterator[SshServer]:
    """Run a server whose files lie in `folder`, on a port of its own or the given one."""
    folder.mkdir(parents=True, exist_ok=True)
    port, key, authorized = port or free_port(), folder / "host_key", folder / "authorized_keys"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    authorized.write_text("")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where a server that is run by root separates its privileges
    options = {
        "Port": port,
        "ListenAddress": "127.0.0.1",
        "HostKey": key,
        "AuthorizedKeysFile": authorized,
        "PidFile": "none",
        "StrictModes": "no",
        "UsePAM": "no",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "PermitRootLogin": "prohibit-password",
    }
    config = folder / "sshd_config"
    config.write_text("".join(f"{name} {value}\n" for name, value in options.items()))
    with subprocess.Popen([_SSHD, "-D", "-f", str(config)], stderr=subprocess.DEVNULL) as server:
        try:
            _await(port, server)
            yield SshServer(port, authorized)
        finally:
            server.terminate()
    shutil.rmtree(folder)


def _await(port: int, server: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until and server.poll() is None:
        with closing(socket.socket()) as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    msg = "the SSH server of the test did not start"
    raise RuntimeError(msg)
