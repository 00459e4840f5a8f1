"""The PostgreSQL of an installation: a Unix socket and no port, little memory, one database and role for a service."""

import os
import shutil
import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from windlass.up.child import Program, ProgramProcess, run_to_end, start_until_ready
from windlass.up.credentials import Credentials
from windlass.up.errors import StateError
from windlass.up.home import Home
from windlass.up.postgres_identity import Identity, choose_identity
from windlass.up.programs import postgres_binaries

SUPERUSER = "windlass"
_READY_SECONDS = 120.0  # after a crash it first replays what it had promised
_LONGEST_SOCKET_BYTES = 107  # sun_path of unix(7), without the final zero
_SOCKET = ".s.PGSQL.5432"
_MAJOR_VERSION = "18"

_INITDB = (
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--no-locale",
    "--locale-provider=builtin",  # the same order of texts on every machine
    "--builtin-locale=C.UTF-8",
    f"--username={SUPERUSER}",
)
_SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "8MB",
    "max_connections": "40",
    "jit": "off",
    "io_method": "sync",  # no I/O worker processes
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "max_worker_processes": "2",
    "max_logical_replication_workers": "0",
    "max_wal_senders": "2",  # for backups
    "autovacuum_max_workers": "2",
    "maintenance_work_mem": "32MB",
    "max_wal_size": "256MB",
    "log_checkpoints": "off",
}


@dataclass(frozen=True, slots=True)
class Postgres:
    """One cluster, below `home`; make it with `Postgres.of`."""

    home: Home
    socket_folder: Path
    identity: Identity
    binaries: Path
    credentials: Credentials

    @classmethod
    def of(cls, home: Home, installation: str, credentials: Credentials) -> "Postgres":
        """Choose the user it runs as and where its socket lies.

        Raises:
            IdentityError, ProgramMissingError: it cannot run on this machine.
        """
        binaries = postgres_binaries()
        identity = choose_identity([binaries / "postgres", home.postgres])  # below that everything is given to it
        return cls(home, _socket_folder(home, installation), identity, binaries, credentials)

    @property
    def log(self) -> Path:
        return self.home.log("postgres")

    def url(self, service: str) -> str:
        """Return what the service connects to its own database with; it contains the password."""
        password = self.credentials.database_password(service)
        return f"postgresql://{service}:{password}@/{service}?host={quote(str(self.socket_folder), safe='')}"

    async def initialize(self, inherited: int) -> None:
        """Make the cluster, wholly or not at all, or take over the one that is there; its server must not be running.

        Raises:
            StartError: initdb failed.
            StateError: the cluster belongs to another major version.
        """
        self._own(self.home.postgres)
        if self._data.exists():
            self._check_version()
            self._own_data()
            self._forget_killed_server()
            return
        partial = self.home.postgres / "data.partial"
        if partial.exists():  # an earlier attempt was cut short
            shutil.rmtree(partial)
        await self._initdb(partial, inherited)
        partial.rename(self._data)

    async def launch(self, inherited: int) -> ProgramProcess:
        """Start it; returns once it accepts connections, after recovery from a crash if need be."""
        self._make_socket_folder()
        settings = {**_SETTINGS, "unix_socket_directories": str(self.socket_folder)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        program = Program(
            "PostgreSQL",
            [*self.identity.prefix, str(self.binaries / "postgres"), "-D", str(self._data), *options],
            self.log,
            user=self.identity.user,
            on_orphaned=signal.SIGQUIT,  # it ends its own children first, and replays its log at the next start
        )
        return await start_until_ready(program, [inherited], self._answers, _READY_SECONDS)

    @property
    def _data(self) -> Path:
        return self.home.postgres / "data"

    async def _answers(self, pid: int) -> bool:
        """Tell whether the server's own status line says that it accepts connections, as pg_ctl does."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and int(lines[0]) == pid and lines[7].strip() == "ready"  # noqa: PLR2004 - pidfile.h

    async def _initdb(self, data: Path, inherited: int) -> None:
        with tempfile.NamedTemporaryFile("w", dir=self.home.postgres) as password:
            password.write(self.credentials.postgres_password)
            password.flush()
            self._own(Path(password.name))
            command = [*self.identity.prefix, str(self.binaries / "initdb"), *_INITDB, f"--pwfile={password.name}"]
            arguments = [*command, f"--pgdata={data}"]
            await run_to_end(Program("PostgreSQL's initdb", arguments, self.log, user=self.identity.user), [inherited])

    def _forget_killed_server(self) -> None:
        """Remove the process ids that a killed server left behind: we know that all its processes are gone.

        PostgreSQL does not: a zombie, or a process that got the same id after a reboot, would keep it from starting.
        """
        for lock in (self._data / "postmaster.pid", self.socket_folder / f"{_SOCKET}.lock"):
            lock.unlink(missing_ok=True)

    def _check_version(self) -> None:
        found = (self._data / "PG_VERSION").read_text().strip()
        if found != _MAJOR_VERSION:
            raise StateError(
                f"{self._data} was written by PostgreSQL {found}; this is PostgreSQL {_MAJOR_VERSION}.",
                "Use the Windlass version that wrote it, or move its databases with pg_dump.",
            )

    def _make_socket_folder(self) -> None:
        self.socket_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.socket_folder.is_symlink() or self.socket_folder.stat().st_uid not in {
            os.geteuid(),
            self.identity.user,
        }:
            raise StateError(f"{self.socket_folder} belongs to somebody else.", "Remove it, or set TMPDIR.")
        self._own(self.socket_folder)

    def _own_data(self) -> None:
        """Give the data to the user of this start, should the machine have permitted another way at the last one."""
        wanted = os.geteuid() if self.identity.user is None else self.identity.user
        if self._data.stat().st_uid != wanted:
            for path in (self._data, *self._data.rglob("*")):
                os.chown(path, wanted, wanted, follow_symlinks=False)

    def _own(self, path: Path) -> None:
        if self.identity.user is not None:
            shutil.chown(path, self.identity.user, self.identity.user)


def _socket_folder(home: Home, installation: str) -> Path:
    """Return a folder whose path leaves room for the socket's name: below the state folder, or else a temporary one."""
    folder = home.postgres / "run"
    if len(os.fsencode(folder / _SOCKET)) <= _LONGEST_SOCKET_BYTES:
        return folder
    return Path(tempfile.gettempdir()) / f"windlass-{installation}"
