"""A real Traefik for the router's tests, and the adapter that speaks to it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from support.traefik import MARKER_PATH, TraefikServer, running_traefik
from windlass_router.adapters.proxies import Proxies
from windlass_router.adapters.routes_file import RoutesFile
from windlass_router.adapters.traefik import Traefik


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "dynamic"
    folder.mkdir()
    return folder


@pytest.fixture
def traefik(folder: Path) -> Iterator[TraefikServer]:
    with running_traefik(folder) as server:
        yield server


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        yield client


@pytest.fixture
async def proxies(traefik: TraefikServer) -> AsyncIterator[Proxies]:
    with closing(Proxies(RoutesFile(traefik.folder), [asked(traefik)])) as proxies:
        yield proxies


def asked(server: TraefikServer, node: str = "one") -> Traefik:
    return Traefik.at(node, server.url, server.api_url, MARKER_PATH)
