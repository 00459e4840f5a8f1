"""Sources from real Git servers."""

import asyncio
import os
import socket
import tarfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from support.git_server import Repository, dumb_http, make_repository, smart_http
from windlass_builder.adapters.git.source import GitSource
from windlass_builder.application.source import (
    BadRefError,
    BadRepositoryUrlError,
    BadRootError,
    BrokenRepositoryError,
    LoginNeededError,
    RefNotFoundError,
    RepositoryNotFoundError,
    RepositoryUnreachableError,
    RootNotFoundError,
    SourceLocation,
    SourceTimedOutError,
    SourceTooLargeError,
    TooManyFilesError,
)

FILES = {
    "main.py": "print('one')\n",
    "apps/web/server.py": "print('web')\n",
    ".gitattributes": "main.py export-ignore\n",
}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return make_repository(tmp_path / "served" / "app.git", FILES)


@pytest.fixture(params=["smart http", "dumb http", "file"])
def url(request: pytest.FixtureRequest, repository: Repository) -> Iterator[str]:
    """Yield the repository's address by each protocol."""
    root = repository.folder.parent
    if request.param == "file":
        yield repository.folder.as_uri()
    elif request.param == "smart http":
        with smart_http(root) as base:
            yield f"{base}/app.git"
    else:
        with dumb_http(root) as base:
            yield f"{base}/app.git/.git"


@pytest.fixture
def source(tmp_path: Path) -> GitSource:
    return GitSource(
        tmp_path / "home", local_repositories=[tmp_path], loopback_allowed=True, timeout=timedelta(seconds=60)
    )


def names(archive: Path) -> set[str]:
    with tarfile.open(archive) as tar:
        return {entry.name for entry in tar if entry.isfile()}


async def test_branch_tag_and_commit_name_the_same_source(source: GitSource, repository: Repository, url: str) -> None:
    commit = repository.git("rev-parse", "HEAD")
    repository.git("tag", "light")
    repository.git("tag", "--annotate", "--message", "a tag", "annotated")
    repository.git("branch", "feature/one")
    repository.git("update-server-info")
    for ref in ("main", "feature/one", "light", "annotated", "refs/heads/main", "HEAD", commit):
        assert await source.resolve(url, ref) == commit


async def test_heads_are_the_branches_and_tags_with_their_commits(
    source: GitSource, repository: Repository, url: str
) -> None:
    first = repository.git("rev-parse", "HEAD")
    repository.git("tag", "--annotate", "--message", "a tag", "v1")
    repository.git("checkout", "--quiet", "-b", "trunk")
    last = repository.commit({"more.py": ""})
    heads = await source.heads(url)
    assert heads.branches == {"main": first, "trunk": last}
    assert heads.tags == {"v1": first}
    assert heads.default_branch == "trunk"


async def test_so_many_files_are_written_and_no_more(tmp_path: Path, repository: Repository) -> None:
    url, archive = repository.folder.as_uri(), tmp_path / "out" / "source.tar"
    archive.parent.mkdir()
    for most, root in ((3, "."), (1, "apps/web")):
        source = GitSource(tmp_path / "home", local_repositories=[tmp_path], most_files=most)
        await source.fetch(SourceLocation(url, root), await source.resolve(url, "main"), archive)
        archive.unlink()
    source = GitSource(tmp_path / "home", local_repositories=[tmp_path], most_files=2)
    with pytest.raises(TooManyFilesError, match=r"more than 2 files.*WINDLASS_SOURCE_FILES"):
        await source.fetch(SourceLocation(url), await source.resolve(url, "main"), archive)
    assert list(archive.parent.iterdir()) == []


async def test_server_that_talks_without_end_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    talker = tmp_path / "git"
    talker.write_text("#!/bin/sh\nexec yes\n")
    talker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    source, url = GitSource(tmp_path / "home"), "https://host.invalid/app"
    with pytest.raises(SourceTooLargeError):
        await source.heads(url)
    with pytest.raises(SourceTooLargeError):
        await source.fetch(SourceLocation(url), "c" * 40, tmp_path / "source.tar")


async def test_archive_holds_the_commit_as_it_stands(
    source: GitSource, repository: Repository, url: str, tmp_path: Path
) -> None:
    commit = await source.resolve(url, "main")
    repository.commit({"later.py": ""})
    await source.fetch(SourceLocation(url), commit, tmp_path / "source.tar")
    assert names(tmp_path / "source.tar") == {*FILES}


async def test_root_folder_is_the_root_of_the_archive(source: GitSource, url: str, tmp_path: Path) -> None:
    commit = await source.resolve(url, "main")
    await source.fetch(SourceLocation(url, "apps/web"), commit, tmp_path / "source.tar")
    assert names(tmp_path / "source.tar") == {"server.py"}
    with pytest.raises(RootNotFoundError, match="apps/none"):
        await source.fetch(SourceLocation(url, "apps/none"), commit, tmp_path / "other.tar")
    with pytest.raises(RootNotFoundError):
        await source.fetch(SourceLocation(url, "main.py"), commit, tmp_path / "other.tar")
    assert not (tmp_path / "other.tar").exists()


async def test_commit_that_was_fetched_needs_no_server(
    source: GitSource, repository: Repository, tmp_path: Path
) -> None:
    url = repository.folder.as_uri()
    commit = await source.resolve(url, "main")
    await source.fetch(SourceLocation(url), commit, tmp_path / "first.tar")
    repository.folder.rename(tmp_path / "gone")
    await source.fetch(SourceLocation(url), commit, tmp_path / "again.tar")
    assert names(tmp_path / "again.tar") == {*FILES}


async def test_fetches_of_one_repository_wait_for_one_another(
    source: GitSource, repository: Repository, url: str, tmp_path: Path
) -> None:
    commits = [repository.commit({"number.txt": str(number)}) for number in range(4)]
    fetches = (source.fetch(SourceLocation(url), commit, tmp_path / commit) for commit in commits)
    await asyncio.gather(*fetches)
    for number, commit in enumerate(commits):
        with tarfile.open(tmp_path / commit) as tar:
            content = tar.extractfile("number.txt")
            assert content is not None
            assert content.read() == str(number).encode()


async def test_mirror_that_was_left_in_the_middle_of_a_fetch_is_healed(
    source: GitSource, repository: Repository, tmp_path: Path
) -> None:
    url = repository.folder.as_uri()
    await source.fetch(SourceLocation(url), await source.resolve(url, "main"), tmp_path / "first.tar")
    [mirror] = (tmp_path / "home" / "mirrors").glob("*.git")
    for name in ("shallow.lock", "config.lock", "refs/windlass/last.lock", "objects/pack/tmp_pack_1"):
        (mirror / name).write_text("")
    commit = repository.commit({"more.py": ""})
    await source.fetch(SourceLocation(url), commit, tmp_path / "second.tar")
    assert "more.py" in names(tmp_path / "second.tar")
    assert not list(mirror.rglob("*.lock"))


async def test_refs_and_commits_that_do_not_exist_are_named(source: GitSource, url: str, tmp_path: Path) -> None:
    with pytest.raises(RefNotFoundError, match="no branch, tag or commit nowhere"):
        await source.resolve(url, "nowhere")
    with pytest.raises(RefNotFoundError):
        await source.resolve(url, "ain")
    with pytest.raises(RefNotFoundError, match="0123456789"):
        await source.fetch(SourceLocation(url), "0123456789" * 4, tmp_path / "source.tar")
    assert not (tmp_path / "source.tar").exists()


async def test_what_is_no_repository_is_said(source: GitSource, repository: Repository, tmp_path: Path) -> None:
    with smart_http(repository.folder.parent) as base, dumb_http(tmp_path) as files:
        for address in (f"{base}/none.git", f"{files}/none", (tmp_path / "none").as_uri()):
            with pytest.raises(RepositoryNotFoundError, match="no Git repository"):
                await source.resolve(address, "main")
            with pytest.raises(RepositoryNotFoundError):
                await source.fetch(SourceLocation(address), "a" * 40, tmp_path / "source.tar")


async def test_private_repository_asks_for_a_way_in_and_nobody_at_the_terminal(
    source: GitSource, repository: Repository
) -> None:
    with smart_http(repository.folder.parent) as base, pytest.raises(LoginNeededError, match="needs a login"):
        await source.resolve(f"{base}/private/app.git", "main")


async def test_host_that_is_away_is_said(source: GitSource) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        for address in (
            f"http://127.0.0.1:{port}/app.git",
            f"git://127.0.0.1:{port}/app.git",
            "https://host.invalid/app",
        ):
            with pytest.raises(RepositoryUnreachableError, match="does not answer"):
                await source.resolve(address, "main")


async def test_server_that_never_answers_is_given_up_in_time(tmp_path: Path) -> None:
    source = GitSource(tmp_path, loopback_allowed=True, timeout=timedelta(seconds=1))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/app.git"
        with pytest.raises(SourceTimedOutError, match="longer than 1 s"):
            await source.resolve(address, "main")
        with pytest.raises(SourceTimedOutError):
            await source.fetch(SourceLocation(address), "a" * 40, tmp_path / "source.tar")
        async with asyncio.timeout(60):
            while await is_running(address):  # what was killed a moment ago may need a moment to be gone
                pass


async def is_running(words: str) -> bool:
    listed = await asyncio.create_subprocess_exec("pgrep", "--full", words, stdout=asyncio.subprocess.DEVNULL)
    return await listed.wait() == 0


@pytest.mark.parametrize(
    "address",
    [
        "", "no url", "/etc", "ext::sh -c id", "fd::17", "ftp://host/app", "http:///app", "https://host", "https://host/",
        "https://user:password@host/app", "https://token@host/app", "ssh://-oProxyCommand=id/app", "ssh://-x@host/app",
        "https://host/app?token=1", "https://[/app", "https://host:99999/app", "https://host/a\nb", "--upload-pack=id",
        "http://127.0.0.1/app", "http://localhost:8080/app", "http://app.localhost/app", "http://[::1]/app",
        "http://169.254.169.254/latest", "http://0.0.0.0/app", "file:///etc", "https://host/" + "a" * 2000,
    ],
)  # fmt: skip
async def test_hostile_address_is_refused_before_git_sees_it(tmp_path: Path, address: str) -> None:
    source = GitSource(tmp_path)
    with pytest.raises(BadRepositoryUrlError):
        await source.resolve(address, "main")
    with pytest.raises(BadRepositoryUrlError):
        await source.fetch(SourceLocation(address), "a" * 40, tmp_path / "source.tar")


async def test_only_the_folders_that_are_named_are_fetched_from(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "allowed").mkdir()
    (tmp_path / "allowed" / "link").symlink_to(repository.folder)
    source = GitSource(tmp_path / "home", local_repositories=[tmp_path / "allowed"])
    for path in ("served/app.git", "allowed/../served/app.git", "allowed/%2e%2e/served/app.git", "allowed/link"):
        with pytest.raises(BadRepositoryUrlError, match="none of the folders"):
            await source.resolve(f"file://{tmp_path}/{path}", "main")


@pytest.mark.parametrize(
    "ref",
    ["", "-u", "--upload-pack=id", "a..b", "a b", "a\nb", "*", "a^{}", "a:b", "@{1}", "@", "x.lock", "/a", "a" * 300],
)
async def test_hostile_ref_is_refused_before_git_sees_it(source: GitSource, repository: Repository, ref: str) -> None:
    with pytest.raises(BadRefError):
        await source.resolve(repository.folder.as_uri(), ref)


@pytest.mark.parametrize("root", ["/etc", "../..", "a/../../b", "-x", "a:b", "a\nb"])
async def test_hostile_root_is_refused_before_git_sees_it(
    source: GitSource, repository: Repository, tmp_path: Path, root: str
) -> None:
    with pytest.raises(BadRootError):
        await source.fetch(SourceLocation(repository.folder.as_uri(), root), "a" * 40, tmp_path / "source.tar")


async def test_paths_that_differ_between_commits_are_told_also_after_a_forced_push(
    source: GitSource, repository: Repository, url: str
) -> None:
    first = await source.resolve(url, "main")
    second = repository.commit({"main.py": "print('two')\n", "new/ünicode name.txt": "x"})
    assert await source.changed(url, first, second) == frozenset({"main.py", "new/ünicode name.txt"})
    assert await source.changed(url, second, first) == frozenset({"main.py", "new/ünicode name.txt"})
    assert await source.changed(url, first, first) == frozenset()
    with pytest.raises(RefNotFoundError):
        await source.changed(url, "d" * 40, second)


def crafted(repository: Repository, name: bytes) -> str:
    """Commit a tree with a file of that name, which no Git would add."""
    blob = repository.git("rev-parse", "HEAD:main.py")
    raw = repository.folder / "raw"
    raw.write_bytes(b"100644 " + name + b"\0" + bytes.fromhex(blob))
    tree = repository.git("hash-object", "-t", "tree", "--literally", "-w", str(raw))
    commit = repository.git("commit-tree", "-m", "crafted", tree)
    repository.git("update-ref", "refs/heads/crafted", commit)
    repository.git("update-server-info")
    return commit


@pytest.mark.parametrize("name", [b"..", b".git", b"a/b", b".GIT"])
async def test_names_that_lead_elsewhere_are_refused_before_they_reach_an_archive(
    source: GitSource, repository: Repository, tmp_path: Path, name: bytes
) -> None:
    commit = crafted(repository, name)
    with smart_http(repository.folder.parent) as base, pytest.raises(BrokenRepositoryError):
        await source.fetch(SourceLocation(f"{base}/app.git"), commit, tmp_path / "source.tar")
    assert not (tmp_path / "source.tar").exists()


async def test_odd_encodings_and_links_are_handed_on_as_they_stand(
    source: GitSource, repository: Repository, url: str, tmp_path: Path
) -> None:
    commit = crafted(repository, b"caf\xe9 \n name")
    await source.fetch(SourceLocation(url), commit, tmp_path / "odd.tar")
    assert {os.fsencode(name) for name in names(tmp_path / "odd.tar")} == {b"caf\xe9 \n name"}
    repository.git("update-ref", "refs/heads/crafted", "HEAD")
    (repository.folder / "out").symlink_to("../../../etc/passwd")
    linked = repository.commit({})
    await source.fetch(SourceLocation(url), linked, tmp_path / "linked.tar")
    with tarfile.open(tmp_path / "linked.tar") as tar:
        assert tar.getmember("out").issym()
