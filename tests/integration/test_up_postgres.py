"""PostgreSQL under our own supervision, whoever we are and wherever its files lie."""

import os
import pwd
import shutil
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from windlass.up.databases import ensure_database
from windlass.up.errors import IdentityError, StateError
from windlass.up.home import Home
from windlass.up.installation import open_installation
from windlass.up.postgres import Postgres
from windlass.up.postgres_identity import Identity, choose_identity
from windlass.up.programs import postgres_binaries


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.prepare()
    return home


@pytest.fixture
def postgres(home: Home) -> Postgres:
    return _postgres(home)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Yield a folder that every user may enter; pytest's own are for one."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


async def test_it_runs_below_folders_that_only_their_owner_enters(postgres: Postgres, tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)

    await _works(replace(postgres, binaries=_copied(postgres.binaries, private)))


async def test_as_root_without_namespaces_it_runs_as_nobody(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    home = Home(open_folder / "home")
    home.prepare()
    binaries = _copied(postgres_binaries(), open_folder)
    monkeypatch.setattr("windlass.up.postgres.postgres_binaries", lambda: binaries)
    with monkeypatch.context() as without_unshare:
        without_unshare.setenv("PATH", str(open_folder))
        postgres = _postgres(home)
        assert postgres.identity == Identity(user=pwd.getpwnam("nobody").pw_uid)
        await _works(postgres)

        assert _postgres(home).identity == postgres.identity, "not at the next start"


def test_without_namespaces_a_closed_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    with pytest.raises(IdentityError, match="for root alone"):
        choose_identity([tmp_path / "postgres"])


async def test_a_cluster_whose_making_was_cut_short_is_made_anew(postgres: Postgres, home: Home) -> None:
    (home.postgres / "data.partial").mkdir()
    (home.postgres / "data.partial" / "PG_VERSION").write_text("18")

    await _works(postgres)


async def test_data_of_another_version_are_refused_and_left_as_they_are(postgres: Postgres, home: Home) -> None:
    (home.postgres / "data").mkdir()
    (home.postgres / "data" / "PG_VERSION").write_text("17\n")

    with pytest.raises(StateError, match="written by PostgreSQL 17"):
        await postgres.initialize(_descriptor())


async def _works(postgres: Postgres) -> None:
    await postgres.initialize(_descriptor())
    server = await postgres.launch(_descriptor())
    try:
        for _ in range(2):  # the second time there is nothing to make
            await ensure_database(postgres, "logs", _descriptor())
        connection = await asyncpg.connect(postgres.url("logs"))
        assert await connection.fetchval("SHOW fsync") == "on"
        await connection.close()
    finally:
        server.send(signal.SIGINT)
        await server.exit()


def _descriptor() -> int:
    """Return any descriptor that a child may inherit: nothing here asks who holds it."""
    return 2


def _postgres(home: Home) -> Postgres:
    installation, credentials = open_installation(home)
    return Postgres.of(home, installation.id, credentials)


def _copied(binaries: Path, target: Path) -> Path:
    """Copy PostgreSQL with the libraries that it looks for beside its package; return the new folder of programs."""
    package = binaries.parent.parent
    shutil.copytree(binaries.parent, target / package.name / binaries.parent.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(libraries, target / libraries.name)
    return target / package.name / binaries.parent.name / binaries.name
