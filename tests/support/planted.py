"""Secrets that are recognised wherever they turn up, and everything of an installation that could hold one."""

import asyncio
import base64
import json
import shutil
import tarfile
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from pathlib import Path
from threading import Event, Thread
from typing import BinaryIO
from urllib.parse import quote, quote_plus

import aiodocker
import asyncpg
import zstandard
from nats.js.errors import NotFoundError

from support.nats import running_nats
from windlass.up.credentials import Credentials
from windlass.up.home import Home
from windlass.up.postgres import Postgres
from windlass_contracts.subjects import Service
from windlass_eventlog.jetstream.connection import Connection, connection

_ZSTD = b"\x28\xb5\x2f\xfd"
_LOOK_EVERY_S = 0.05


@cache
def forms(secret: str) -> frozenset[bytes]:
    """Return the ways in which a secret is written: as it is, for addresses, in JSON, and in base64 at each place."""
    plain = secret.encode()
    found = {plain, quote(secret).encode(), quote(secret, "").encode(), quote_plus(secret).encode()}
    found.add(json.dumps(secret)[1:-1].encode())
    for shift in range(3):
        inner = base64.b64encode(bytes(shift) + plain)[4 if shift else 0 : (shift + len(plain)) // 3 * 4]
        found |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    return frozenset(found)


@dataclass
class Planted:
    """Secrets by where they entered, and where they were found: places that nobody ought to find them."""

    secrets: dict[str, str] = field(default_factory=dict)
    found: set[tuple[str, str]] = field(default_factory=set)
    searched: dict[str, int] = field(default_factory=dict)

    def plant(self, name: str, secret: str) -> str:
        self.secrets[name] = secret
        return secret

    def search(self, kind: str, where: str, content: bytes) -> None:
        """Look for every secret in some content, decompressed where that is needed."""
        self.searched[kind] = self.searched.get(kind, 0) + 1
        if content.startswith(_ZSTD):
            content = zstandard.ZstdDecompressor().decompressobj().decompress(content)
        for name, secret in list(self.secrets.items()):  # more of them may be planted meanwhile
            if any(form in content for form in forms(secret)):
                self.found.add((name, f"{kind}: {where}"))

    @contextmanager
    def watching_processes(self) -> Iterator[None]:
        """Look at the command lines of all processes, which every user can read, for as long as the block lasts."""
        over = Event()
        watcher = Thread(target=self._watch, args=(over,), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()

    def _watch(self, over: Event) -> None:
        lines: dict[bytes, str] = {}
        while not over.wait(_LOOK_EVERY_S):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):  # it ended meanwhile
                    lines.setdefault(path.read_bytes(), path.parts[2])
        for line, process in lines.items():  # once everything is planted
            self.search("command line", process, line)


def private_files(home: Path) -> Mapping[Path, int]:
    """Return the files of an installation that hold its own secrets, with what others may do with them."""
    patterns = ("credentials.json", "*.keys", "cli.json", "nats/nats.conf", "nkeys/*.seed")
    found = [path for pattern in patterns for path in home.glob(pattern) if path.is_file()]
    assert home / "credentials.json" in found
    return {path: path.stat().st_mode & 0o077 for path in found}


def own_secrets(home: Path) -> Mapping[str, str]:
    """Return what the installation made for itself."""
    credentials = json.loads((home / "credentials.json").read_text())
    texts = {name: value for name, value in credentials.items() if isinstance(value, str) and "path" not in name}
    for file in (*home.glob("*.keys"), *home.glob("nkeys/*.seed")):
        texts |= {f"{file.name} {number}": key for number, key in enumerate(file.read_text().split())}
    return texts


def search_files(planted: Planted, home: Path) -> None:
    """Look into every file below home but those that hold the installation's own secrets.

    What PostgreSQL keeps of tables is left to `search_databases`; what apps wrote, as they wrote it, is nobody else's.
    """
    private = set(private_files(home))
    for path in sorted(home.rglob("*")):
        place = path.relative_to(home).parts
        if path in private or path.is_symlink() or not path.is_file() or place[:3] in _TABLES or place[0] == "config":
            continue
        if _is_output(place):
            assert closed_to_others(path, home), f"other users can read what apps write: {path}"
            continue
        with suppress(FileNotFoundError):
            planted.search("file", str(path.relative_to(home)), path.read_bytes())


_TABLES = (("postgres", "data", "base"), ("postgres", "data", "pg_wal"))


def _is_output(place: Sequence[str]) -> bool:
    """Tell whether a file is what the engine keeps of an app's output until its container is removed."""
    return place[:2] == ("processes", "runners") and "log" in place


def closed_to_others(path: Path, home: Path) -> bool:
    """Tell whether users who are neither the owner nor root are kept out, by the file or by a folder on its way."""
    inside = [path, *(parent for parent in path.parents if parent.is_relative_to(home))]
    return not path.stat().st_mode & 0o004 or any(not one.stat().st_mode & 0o001 for one in inside[1:])


async def search_streams(planted: Planted, home: Path, scratch: Path) -> None:
    """Look into every message of every stream but SECRETS: into its subject, its headers and its body.

    A server without users reads a copy of what the installation's own one keeps.
    """
    source = home / "nats" / "jetstream"
    await asyncio.to_thread(shutil.copytree, source, scratch / "store" / "jetstream", ignore_dangling_symlinks=True)
    with running_nats(scratch) as url:
        async with connection(url, "test") as link:
            for info in await link.jetstream.streams_info():
                name = info.config.name or ""
                if name != "KV_SECRETS":
                    await _search_stream(planted, link, name, info.state.last_seq)


async def _search_stream(planted: Planted, link: Connection, name: str, last: int) -> None:
    sequence = 1
    while sequence <= last:
        try:
            message = await link.jetstream.get_msg(name, sequence, subject=">", direct=True, next=True)
        except NotFoundError:
            return
        sequence = (message.seq or sequence) + 1
        head = f"{message.subject} {dict(message.headers or {})}".encode()
        planted.search("message", f"{name} {message.seq}", message.data or b"")
        planted.search("header", f"{name} {message.seq}", head)


async def search_databases(planted: Planted, home: Path, installation: str) -> None:
    """Look into every row of every table of every service's database."""
    postgres = Postgres.of(Home(home), installation, Credentials.read(Home(home)))
    for service in Service:
        opened = await asyncpg.connect(postgres.url(service))
        try:
            for place, row in [one async for one in _rows(opened)]:
                for value in row:
                    content = value if isinstance(value, bytes) else str(value).encode()
                    planted.search("row", f"{service} {place}", content)
        finally:
            await opened.close()


async def _rows(opened: asyncpg.Connection) -> AsyncIterator[tuple[str, Iterable[object]]]:
    tables = await opened.fetch(
        "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) AS name FROM pg_tables"
        " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    )
    for table in tables:
        for row in await opened.fetch(f"SELECT * FROM {table['name']}"):  # noqa: S608 - a name that is quoted
            yield str(table["name"]), row.values()


async def search_image(planted: Planted, engine: str, reference: str, base: str, scratch: Path) -> None:
    """Look into what an image says of itself, its history, and the layers that it has beyond its base."""
    async with aiodocker.Docker(engine) as docker:
        known = set((await docker.images.inspect(base))["RootFS"]["Layers"])
        said = await docker.images.inspect(reference)
        history = await docker.images.history(reference)
        planted.search("image", f"{reference} config", json.dumps(said, ensure_ascii=False).encode())
        planted.search("image", f"{reference} history", json.dumps(history, ensure_ascii=False).encode())
        with scratch.open("w+b") as file:
            async with docker.images.export_image(reference) as stream:
                async for piece in stream.iter_chunked(1 << 20):
                    file.write(piece)
            file.seek(0)
            _search_archive(planted, file, len([one for one in said["RootFS"]["Layers"] if one not in known]))


async def search_containers(planted: Planted, engine: str, installation: str) -> None:
    """Look into what the engine knows of the installation's containers, and into what they wrote."""
    async with aiodocker.Docker(engine) as docker:
        ours = {"label": [f"dev.windlass.installation={installation}"]}
        for container in await docker.containers.list(all=True, filters=ours):
            with _that_may_go():
                about = await container.show()
                planted.search("container", about["Name"], json.dumps(about, ensure_ascii=False).encode())
                written = await container.log(stdout=True, stderr=True)
                planted.search("container", f"{about['Name']} wrote", "".join(written).encode())


@contextmanager
def _that_may_go() -> Iterator[None]:
    """Let a container be gone, or on its way: an installation removes those of other tests when their time is up."""
    try:
        yield
    except aiodocker.DockerError as error:
        if error.status not in {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT}:
            raise


def _search_archive(planted: Planted, file: BinaryIO, own: int) -> None:
    with tarfile.open(fileobj=file) as archive:
        manifest = json.loads(_member(archive, "manifest.json"))[0]
        assert own, "the release has no layer of its own"
        for name in (manifest["Config"], *manifest["Layers"][-own:]):
            planted.search("image", name, _member(archive, name))


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    assert file is not None
    return file.read()
