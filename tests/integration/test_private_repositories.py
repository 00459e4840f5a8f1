"""Private repositories, behind a real door: HTTP with a login, SSH with a deploy key. Nobody else sees a secret."""

import secrets
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from support.git_server import Door, make_repository, smart_http
from support.ssh_server import SshServer, has_sshd, ssh_server
from windlass_builder.adapters.git.source import GitSource
from windlass_builder.application.access import Access
from windlass_builder.application.source import (
    HostKeyChangedError,
    LoginNeededError,
    LoginRefusedError,
    RepositoryMovedError,
    SourceLocation,
)
from windlass_contracts.credential_values import DeployKey, Login

PLACE = "http://localhost"


@pytest.fixture
def source(tmp_path: Path) -> GitSource:
    return GitSource(tmp_path / "home", loopback_allowed=True, timeout=timedelta(seconds=60))


@pytest.fixture
def door() -> Door:
    return Door(user="someone", password=secrets.token_hex())


@pytest.fixture
def server(tmp_path: Path, door: Door) -> Iterator[str]:
    """Yield the host and port at which a private repository is served."""
    make_repository(tmp_path / "served" / "private" / "app.git", {"main.py": "print('private')\n"})
    with smart_http(tmp_path / "served", door) as base:
        yield f"localhost:{base.rpartition(':')[2]}"


def access_to(host: str, door: Door, owner: str = "shop") -> Access:
    return Access(owner, logins={host: Login(user=door.user, password=door.password)})


def files_with(secret: str, folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and secret.encode() in file.read_bytes()]


async def test_a_login_opens_a_repository_over_http(source: GitSource, server: str, door: Door, tmp_path: Path) -> None:
    url, access, archive = f"http://{server}/private/app.git", access_to(server, door), tmp_path / "source.tar"
    commit = await source.resolve(url, "main", access)
    await source.fetch(SourceLocation(url), commit, archive, access)
    assert b"print('private')" in archive.read_bytes()


async def test_a_token_is_in_no_process_list_no_environment_and_no_file(
    source: GitSource, server: str, door: Door, tmp_path: Path
) -> None:
    seen: set[str] = set()
    looks = 0

    def look() -> None:
        nonlocal looks
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                command = (process / "cmdline").read_bytes()
                texts = command + (process / "environ").read_bytes() if b"git" in command else command
                looks += b"git" in command
                if door.password.encode() in texts:
                    seen.add(command.decode(errors="replace"))

    door.watch = look
    url, access = f"http://{server}/private/app.git", access_to(server, door)
    await source.fetch(SourceLocation(url), await source.resolve(url, "main", access), tmp_path / "tar", access)
    assert looks
    assert not seen
    assert not files_with(door.password, tmp_path)


async def test_a_private_repository_wants_a_login_and_says_so(source: GitSource, server: str, door: Door) -> None:
    url = f"http://{server}/private/app.git"
    with pytest.raises(LoginNeededError, match="windlass credentials add"):
        await source.resolve(url, "main")
    elsewhere = access_to("other.example.com", door)
    with pytest.raises(LoginNeededError):
        await source.resolve(url, "main", elsewhere)
    assert not door.shown


async def test_a_wrong_token_is_refused_and_never_repeated(source: GitSource, server: str, door: Door) -> None:
    wrong = Access("shop", logins={server: Login(user="someone", password="wrong-token")})  # noqa: S106 - made up
    with pytest.raises(LoginRefusedError) as refusal:
        await source.resolve(f"http://{server}/private/app.git", "main", wrong)
    assert "wrong-token" not in str(refusal.value)
    assert door.shown


async def test_a_token_does_not_follow_to_another_host(
    source: GitSource, server: str, door: Door, tmp_path: Path
) -> None:
    thief = Door(user=door.user, password=door.password)
    with smart_http(tmp_path / "served", thief) as base:
        door.moved = f"http://localhost:{base.rpartition(':')[2]}"
        with pytest.raises(RepositoryMovedError):
            await source.resolve(f"http://{server}/moved/private/app.git", "main", access_to(server, door))
    assert not thief.shown


async def test_what_one_project_fetched_is_no_other_projects(
    source: GitSource, server: str, door: Door, tmp_path: Path
) -> None:
    url, access = f"http://{server}/private/app.git", access_to(server, door)
    commit = await source.resolve(url, "main", access)
    await source.fetch(SourceLocation(url), commit, tmp_path / "source.tar", access)
    for other in (Access("other"), Access("other", logins={server: Login(user="x", password="guess")})):  # noqa: S106
        with pytest.raises((LoginNeededError, LoginRefusedError)):
            await source.fetch(SourceLocation(url), commit, tmp_path / "stolen.tar", other)
    assert not (tmp_path / "stolen.tar").exists()


def test_a_login_is_shown_to_its_own_host_and_port_alone() -> None:
    login = Login(user="someone", password="token")  # noqa: S106 - made up
    access = Access("shop", logins={"git.example.com": login, "localhost:3000": login})
    assert access.opening("https://git.example.com/app") is login
    assert access.opening("https://git.example.com:443/app") is login
    assert access.opening("http://localhost:3000/app") is login
    for url in (
        "http://git.example.com/app",
        "https://git.example.com:8443/app",
        "https://git.example.com.evil.example/app",
        "https://example.com/app",
        "ssh://git@git.example.com/app",
        "http://localhost/app",
        "git://git.example.com/app",
    ):
        assert access.opening(url) is None, url


needs_sshd = pytest.mark.skipif(not has_sshd(), reason="there is no sshd: python -m windlass.provisioning")


def deploy_key() -> tuple[DeployKey, str]:
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    return DeployKey(private_key=private), key.public_key().public_bytes(
        Encoding.OpenSSH, PublicFormat.OpenSSH
    ).decode()


@pytest.fixture
def ssh(tmp_path: Path) -> Iterator[SshServer]:
    make_repository(tmp_path / "served" / "app", {"main.py": "print('private')\n"})
    with ssh_server(tmp_path / "sshd") as server:
        yield server


@needs_sshd
async def test_a_deploy_key_opens_a_repository_over_ssh(source: GitSource, ssh: SshServer, tmp_path: Path) -> None:
    url, (key, public) = ssh.url(tmp_path / "served" / "app" / ".git"), deploy_key()
    access, archive = Access("shop", keys={ssh.host: key}), tmp_path / "source.tar"
    with pytest.raises(LoginRefusedError, match="deploy key"):
        await source.resolve(url, "main", access)
    ssh.admit(public)
    with pytest.raises(LoginNeededError):
        await source.resolve(url, "main")
    await source.fetch(SourceLocation(url), await source.resolve(url, "main", access), archive, access)
    assert b"print('private')" in archive.read_bytes()
    assert not files_with(key.private_key.splitlines()[2], tmp_path)


@needs_sshd
async def test_a_host_that_shows_another_key_is_not_believed(source: GitSource, ssh: SshServer, tmp_path: Path) -> None:
    url, (key, public) = ssh.url(tmp_path / "served" / "app" / ".git"), deploy_key()
    access = Access("shop", keys={ssh.host: key})
    ssh.admit(public)
    await source.resolve(url, "main", access)
    known = tmp_path / "home" / "mirrors" / "known_hosts"
    other = (tmp_path / "sshd" / "host_key.pub").read_text().split()[1]
    forged = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    known.write_text(known.read_text().replace(other, forged.split()[1]))
    with pytest.raises(HostKeyChangedError, match="ssh-keygen"):
        await source.resolve(url, "main", access)
