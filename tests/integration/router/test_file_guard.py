"""What somebody does by hand to the routes' file is undone before a visitor notices."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
from asyncinotify import Inotify, Mask

from integration.router.test_traefik import visitors
from support.memory_router import SITE
from support.traefik import TraefikServer, backend
from windlass_contracts.ids import DeploymentId
from windlass_router.adapters.file_guard import FileGuard
from windlass_router.adapters.proxies import Proxies
from windlass_router.adapters.routes_file import FILE, RoutesFile
from windlass_router.application.proxy import Rendered
from windlass_router.domain.configuration import Target, configuration

LONG = timedelta(seconds=60)
SHOP = DeploymentId(UUID(int=1))


def routes(generation: int, at: tuple[str, int]) -> Rendered:
    found = configuration([Target(SHOP, {"shop.localhost": 1}, (at,))], SITE, f"{generation}-0a1b2c3d")
    return Rendered(found.content, found.mark)


def _hijacked(file: Path) -> None:
    document = json.loads(file.read_text())
    document["http"]["routers"] = {}
    file.write_text(json.dumps(document))


UNREADABLE: Sequence[Callable[[Path], object]] = [
    lambda file: (file.parent / "new").write_text("http: [") and (file.parent / "new").replace(file),
    lambda file: (file.parent / "new").write_text("{{ nothing") and (file.parent / "new").replace(file),
    Path.unlink,
    lambda file: file.rename(file.parent.parent / "elsewhere"),
]
READABLE: Sequence[Callable[[Path], object]] = [
    lambda file: file.write_bytes(b""),
    lambda file: file.write_text("http: ["),  # opened for writing, it is empty first
    _hijacked,
]


@asynccontextmanager
async def guarded(file: RoutesFile) -> AsyncIterator[None]:
    guarding = asyncio.create_task(FileGuard(file).keep())
    try:
        yield
    finally:
        guarding.cancel()


async def damaged(folder: Path, damage: Callable[[Path], object], wanted: bytes) -> None:
    """Do it, and return once the file is right again."""
    with Inotify() as changes:
        changes.add_watch(folder, Mask.MOVED_TO)
        await asyncio.to_thread(damage, folder / FILE)
        async with asyncio.timeout(60):
            while not (folder / FILE).exists() or (folder / FILE).read_bytes() != wanted:
                await changes.get()


async def test_no_visitor_notices_that_the_file_is_gone_or_unreadable(
    proxies: Proxies, traefik: TraefikServer, folder: Path
) -> None:
    async with backend("1") as one, guarded(proxies.file):
        wanted = routes(1, one)
        await proxies.apply(wanted, LONG)
        async with visitors(traefik) as seen:
            for damage in UNREADABLE:
                await damaged(folder, damage, wanted.content)
                await proxies.serving(wanted.mark, LONG)
                for _ in range(6):
                    await seen.by_all(1)
            await proxies.apply(routes(2, one), LONG)
    assert seen.failures == []


async def test_routes_of_somebody_else_are_replaced_at_once(
    proxies: Proxies, traefik: TraefikServer, folder: Path, client: httpx.AsyncClient
) -> None:
    async with backend("1") as one, guarded(proxies.file):
        wanted = routes(1, one)
        await proxies.apply(wanted, LONG)
        for damage in READABLE:
            await damaged(folder, damage, wanted.content)
            await proxies.serving(wanted.mark, LONG)
            assert proxies.file.last_good.read_bytes() == wanted.content
            assert (await client.get(traefik.url, headers={"Host": "shop.localhost"})).text == "1"


async def test_a_folder_that_was_removed_is_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "dynamic"
    folder.mkdir()
    file = RoutesFile(folder)
    file.hand_over(b"first")
    async with guarded(file):
        file.hand_over(b"routes")
        with Inotify() as changes:
            changes.add_watch(tmp_path, Mask.MOVED_FROM)  # what is written outside is renamed into it
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            async with asyncio.timeout(60):
                while not (folder / FILE).exists() or (folder / FILE).read_bytes() != b"routes":
                    await changes.get()
        await damaged(folder, Path.unlink, b"routes")


async def test_what_was_never_handed_over_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("whatever was there before")
    assert RoutesFile(tmp_path).mend() is False
    assert (tmp_path / FILE).read_text() == "whatever was there before"
