"""Commits that name other repositories, and files beside them: brought by the same rules as the repository itself."""

import hashlib
import os
import secrets
import tarfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from support.git_server import Door, Repository, make_repository, smart_http
from windlass_builder.adapters.git import lfs, submodules
from windlass_builder.adapters.git.source import GitSource
from windlass_builder.application.access import Access
from windlass_builder.application.source import (
    BadRepositoryUrlError,
    BrokenRepositoryError,
    LargeFilesError,
    LoginNeededError,
    ProgramMissingError,
    RefNotFoundError,
    RootNotFoundError,
    SourceLocation,
)
from windlass_contracts.credential_values import Login

LARGE = bytes(range(256)) * 1_000
OID = hashlib.sha256(LARGE).hexdigest()
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{OID}\nsize {len(LARGE)}\n"


@pytest.fixture
def served(tmp_path: Path) -> Path:
    return tmp_path / "served"


@pytest.fixture
def door() -> Door:
    return Door(user="someone", password=secrets.token_hex())


@pytest.fixture
def server(served: Path, door: Door) -> Iterator[str]:
    with smart_http(served, door) as base:
        yield f"http://localhost:{base.rpartition(':')[2]}"


@pytest.fixture
def source(tmp_path: Path) -> GitSource:
    return GitSource(tmp_path / "home", loopback_allowed=True, timeout=timedelta(seconds=60))


def link(repository: Repository, path: str, url: str, commit: str) -> str:
    """Commit a submodule, as `git submodule add` does; return the commit."""
    name = path.replace("/", "-")
    with (repository.folder / ".gitmodules").open("a") as modules:
        modules.write(f'[submodule "{name}"]\n\tpath = {path}\n\turl = {url}\n')
    repository.git("add", ".gitmodules")
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{commit},{path}")
    repository.git("commit", "--quiet", "--message", "link")
    return repository.git("rev-parse", "HEAD")


def head(repository: Repository) -> str:
    return repository.git("rev-parse", "HEAD")


async def contents(
    source: GitSource, url: str, commit: str, folder: Path, root: str = ".", access: Access | None = None
) -> dict[str, bytes]:
    archive = folder / "source.tar"
    await source.fetch(SourceLocation(url, root), commit, archive, access or Access())
    with tarfile.open(archive) as tar:
        files = {member.name: tar.extractfile(member) for member in tar if member.isreg()}
        return {name: file.read() for name, file in files.items() if file is not None}


@pytest.fixture
def app(served: Path) -> Repository:
    """Return a repository with a submodule that has one itself, both by relative addresses."""
    deep = make_repository(served / "deep.git", {"deep.txt": "deep"})
    library = make_repository(served / "group" / "library.git", {"lib.py": "lib", "src/inner.py": "inner"})
    link(library, "vendor/deep", "../../deep.git", head(deep))
    repository = make_repository(served / "app.git", {"main.py": "main", "apps/web/server.py": "web"})
    link(repository, "apps/web/library", "../group/library.git", head(library))
    return repository


async def test_submodules_and_theirs_are_part_of_the_source(
    source: GitSource, server: str, app: Repository, tmp_path: Path
) -> None:
    found = await contents(source, f"{server}/app.git", head(app), tmp_path)
    assert found["apps/web/library/lib.py"] == b"lib"
    assert found["apps/web/library/vendor/deep/deep.txt"] == b"deep"
    assert found["main.py"] == b"main"
    assert os.listdir(tmp_path / "home") == ["mirrors"]  # noqa: PTH208 - names alone


@pytest.mark.parametrize(
    ("root", "names"),
    [
        ("apps/web", {"server.py", "library/lib.py", "library/src/inner.py", "library/vendor/deep/deep.txt"}),
        ("apps/web/library", {"lib.py", "src/inner.py", "vendor/deep/deep.txt"}),
        ("apps/web/library/src", {"inner.py"}),
        ("apps/web/library/vendor/deep", {"deep.txt"}),
    ],
)
async def test_the_root_may_be_above_a_submodule_or_in_one(
    source: GitSource, server: str, app: Repository, tmp_path: Path, root: str, names: set[str]
) -> None:
    found = await contents(source, f"{server}/app.git", head(app), tmp_path, root)
    assert {name for name in found if not name.endswith(".gitmodules")} == names


async def test_a_root_in_no_submodule_is_missing(
    source: GitSource, server: str, app: Repository, tmp_path: Path
) -> None:
    with pytest.raises(RootNotFoundError):
        await contents(source, f"{server}/app.git", head(app), tmp_path, "apps/web/library/none")


@pytest.mark.parametrize(
    "url",
    ["file:///etc", "/etc", "ext::sh -c evil", "ssh://-oProxyCommand=evil/x", "http://user:pass@host/x", "ftp://h/x"],
)
async def test_a_submodule_is_fetched_from_nowhere_that_a_repository_is_not(
    source: GitSource, server: str, served: Path, tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("windlass_builder.adapters.git.command._HARMLESS", ())
    app = make_repository(served / "app.git", {"main.py": ""})
    commit = link(app, "evil", url, "a" * 40)
    with pytest.raises((BadRepositoryUrlError, BrokenRepositoryError)):
        await contents(source, f"{server}/app.git", commit, tmp_path)
    assert not (tmp_path / "source.tar").exists()


async def test_a_submodule_on_this_machine_is_refused_where_that_is_not_allowed(served: Path, tmp_path: Path) -> None:
    strict = GitSource(tmp_path / "home", local_repositories=[served])
    app = make_repository(served / "app", {"main.py": ""})
    commit = link(app, "inner", "http://127.0.0.1:1/x", "a" * 40)
    with pytest.raises(BadRepositoryUrlError, match="inner"):
        await contents(strict, app.folder.as_uri(), commit, tmp_path)


async def test_a_submodule_that_is_gone_is_named(source: GitSource, server: str, served: Path, tmp_path: Path) -> None:
    make_repository(served / "other.git", {"x": ""})
    app = make_repository(served / "app.git", {"main.py": ""})
    commit = link(app, "other", "../other.git", "a" * 40)
    with pytest.raises(RefNotFoundError, match=r"other\.git"):
        await contents(source, f"{server}/app.git", commit, tmp_path)


async def test_a_repository_may_hold_an_older_commit_of_itself(
    source: GitSource, server: str, served: Path, tmp_path: Path
) -> None:
    app = make_repository(served / "app.git", {"main.py": "old"})
    first = head(app)
    app.commit({"main.py": "new"})
    commit = link(app, "old", "./", first)
    found = await contents(source, f"{server}/app.git", commit, tmp_path)
    assert (found["main.py"], found["old/main.py"]) == (b"new", b"old")


async def test_submodules_without_end_are_not_followed(
    source: GitSource, server: str, served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = make_repository(served / "0.git", {"x": ""})
    for number in range(1, submodules.DEEPEST + 2):
        outer = make_repository(served / f"{number}.git", {"x": ""})
        link(outer, "inner", f"../{number - 1}.git", head(chain))
        chain = outer
    with pytest.raises(BadRepositoryUrlError, match="deep"):
        await contents(source, f"{server}/{submodules.DEEPEST + 1}.git", head(chain), tmp_path)
    assert not list(tmp_path.glob("source*"))  # noqa: ASYNC240 - the folder of a test
    monkeypatch.setattr("windlass_builder.adapters.git.source.MOST", 1)
    with pytest.raises(BadRepositoryUrlError, match="submodules"):
        await contents(source, f"{server}/2.git", Repository(served / "2.git").git("rev-parse", "HEAD"), tmp_path)


async def test_a_private_submodule_is_opened_by_its_own_hosts_credential_alone(
    source: GitSource, server: str, door: Door, served: Path, tmp_path: Path, app: Repository
) -> None:
    hidden = make_repository(served / "private" / "hidden.git", {"hidden.py": "hidden"})
    commit = link(app, "hidden", f"{server}/private/hidden.git", head(hidden))
    host = server.removeprefix("http://")
    login = Login(user=door.user, password=door.password)
    with pytest.raises(LoginNeededError, match="hidden"):
        await contents(
            source, f"{server}/app.git", commit, tmp_path, access=Access("a", logins={"other.example": login})
        )
    assert not door.shown
    found = await contents(source, f"{server}/app.git", commit, tmp_path, access=Access("a", logins={host: login}))
    assert found["hidden/hidden.py"] == b"hidden"


needs_lfs = pytest.mark.skipif(not lfs.is_installed(), reason="there is no git-lfs: python -m windlass.provisioning")


def with_large_files(served: Path, name: str) -> Repository:
    (served / "large").mkdir(parents=True, exist_ok=True)
    (served / "large" / OID).write_bytes(LARGE)
    files = {".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n", "apps/web/data.bin": POINTER, "x.py": "x"}
    return make_repository(served / name, files)


@needs_lfs
@pytest.mark.parametrize("root", [".", "apps/web"])
async def test_large_files_are_what_their_pointers_stand_for(
    source: GitSource, server: str, served: Path, tmp_path: Path, root: str
) -> None:
    app = with_large_files(served, "app.git")
    found = await contents(source, f"{server}/app.git", head(app), tmp_path, root)
    assert found["data.bin" if root != "." else "apps/web/data.bin"] == LARGE
    assert ("x.py" in found) == (root == ".")


@needs_lfs
async def test_large_files_of_a_private_repository_need_the_same_login(
    source: GitSource, server: str, door: Door, served: Path, tmp_path: Path
) -> None:
    app = with_large_files(served, "private/app.git")
    access = Access("a", logins={server.removeprefix("http://"): Login(user=door.user, password=door.password)})
    found = await contents(source, f"{server}/private/app.git", head(app), tmp_path, access=access)
    assert found["apps/web/data.bin"] == LARGE
    kept = [file for file in tmp_path.rglob("*") if file.is_file()]  # noqa: ASYNC240 - the folder of a test
    assert not [file for file in kept if door.password.encode() in file.read_bytes()]


@needs_lfs
async def test_login_is_not_shown_to_where_a_server_of_large_files_sends_its_clients(
    source: GitSource, server: str, served: Path, door: Door, tmp_path: Path
) -> None:
    app = with_large_files(served, "private/app.git")
    thief = Door(user=door.user, password=door.password)
    with smart_http(served, thief) as elsewhere:
        (served / "large" / "elsewhere").write_text(f"{elsewhere}/private/lfs")
        access = Access("a", logins={server.removeprefix("http://"): Login(user=door.user, password=door.password)})
        with pytest.raises(LargeFilesError):
            await contents(source, f"{server}/private/app.git", head(app), tmp_path, access=access)
    assert thief.shown == []
    assert door.shown


@needs_lfs
async def test_large_files_of_a_submodule_are_brought_too(
    source: GitSource, server: str, served: Path, tmp_path: Path
) -> None:
    data = with_large_files(served, "data.git")
    app = make_repository(served / "app.git", {"main.py": ""})
    commit = link(app, "data", "../data.git", head(data))
    found = await contents(source, f"{server}/app.git", commit, tmp_path)
    assert found["data/apps/web/data.bin"] == LARGE


@needs_lfs
async def test_a_large_file_that_was_never_pushed_fails_and_a_lfsconfig_leads_nowhere_else(
    source: GitSource, server: str, served: Path, tmp_path: Path
) -> None:
    app = with_large_files(served, "app.git")
    commit = app.commit({".lfsconfig": "[lfs]\n\turl = http://127.0.0.1:1/elsewhere\n"})
    assert (await contents(source, f"{server}/app.git", commit, tmp_path))["apps/web/data.bin"] == LARGE
    other = app.commit({"apps/web/gone.bin": POINTER.replace(OID, "0" * 64)})
    (tmp_path / "source.tar").unlink()
    with pytest.raises(LargeFilesError):
        await contents(source, f"{server}/app.git", other, tmp_path)
    assert not (tmp_path / "source.tar").exists()


async def test_without_git_lfs_it_is_said_what_to_install(
    source: GitSource, server: str, served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lfs, "is_installed", lambda: False)
    app = with_large_files(served, "app.git")
    with pytest.raises(ProgramMissingError, match="apt-get install git-lfs"):
        await contents(source, f"{server}/app.git", head(app), tmp_path)
