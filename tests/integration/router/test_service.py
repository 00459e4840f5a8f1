"""The router as a service, on real NATS, PostgreSQL and Traefik, started and stopped as its supervisor does it."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from support.router_events import PROJECT, rollback
from support.running_service import INSTALLATION, environment, running, settings_of_a_service
from support.told_project import ToldProject
from support.traefik import MARKER_PATH, TraefikServer, backend
from windlass_contracts.events import DeploymentLive, RoutesApplied
from windlass_contracts.subjects import Service
from windlass_eventlog.jetstream.connection import connection
from windlass_eventlog.jetstream.log import JetStreamLog
from windlass_eventlog.jetstream.provisioning import provision
from windlass_router.adapters.routes_file import FILE
from windlass_router.app import serve


@pytest.fixture
async def project(
    nats_url: str, database_url: str, tmp_path: Path, traefik: TraefikServer
) -> AsyncIterator[ToldProject]:
    await provision(nats_url)
    settings = {
        **settings_of_a_service(tmp_path, nats_url, database_url, Service.ROUTER),
        "WINDLASS_GATEWAY_PORT": "4000",
        "WINDLASS_TRAEFIK_DIR": str(traefik.folder),
        "WINDLASS_TRAEFIK_BASE": str(traefik.base),
        "WINDLASS_TRAEFIK_URL": traefik.url,
        "WINDLASS_TRAEFIK_API_URL": traefik.api_url,
        "WINDLASS_MARKER_PATH": MARKER_PATH,
    }
    with environment(settings):
        async with connection(nats_url, "test") as nats:
            told = ToldProject(JetStreamLog(nats, INSTALLATION))
            await told.founded()
            yield told


async def answer(client: httpx.AsyncClient, traefik: TraefikServer, host: str = "shop.localhost") -> str:
    return (await client.get(traefik.url, headers={"Host": host})).text


async def test_what_became_healthy_while_the_router_was_away_goes_live_when_it_is_back(
    project: ToldProject, client: httpx.AsyncClient, traefik: TraefikServer
) -> None:
    async with backend("one") as one:
        deployment, _ = await project.healthy(one)
        async with running(serve):
            await project.until(deployment, DeploymentLive)
            assert await answer(client, traefik) == "one"


async def test_a_rollback_answers_with_the_version_before(
    project: ToldProject, client: httpx.AsyncClient, traefik: TraefikServer
) -> None:
    async with backend("one") as one, backend("two") as two, running(serve):
        first, _ = await project.healthy(one)
        await project.until(first, DeploymentLive)
        second, _ = await project.healthy(two)
        await project.until(second, DeploymentLive)
        assert await answer(client, traefik) == "two"
        asked = await project.tell(PROJECT, rollback(first))
        await project.until(PROJECT, RoutesApplied, asked)
        assert await answer(client, traefik) == "one"


async def test_a_router_that_lost_its_database_leaves_the_routes_as_they_are_and_goes_on(
    project: ToldProject, client: httpx.AsyncClient, traefik: TraefikServer, database_url: str
) -> None:
    async with backend("one") as one, backend("two") as two:
        first, _ = await project.healthy(one)
        async with running(serve):
            await project.until(first, DeploymentLive)
        before = await file_of(traefik)
        await emptied(database_url)
        async with running(serve):
            assert await answer(client, traefik) == "one"
            assert await file_of(traefik) == before
            second, _ = await project.healthy(two)
            await project.until(second, DeploymentLive)
            assert await answer(client, traefik) == "two"


async def test_a_file_that_is_gone_is_back_once_the_router_starts(
    project: ToldProject, client: httpx.AsyncClient, traefik: TraefikServer
) -> None:
    async with backend("one") as one:
        first, _ = await project.healthy(one)
        async with running(serve):
            await project.until(first, DeploymentLive)
        (traefik.folder / FILE).unlink()
        async with running(serve):
            assert await answer(client, traefik) == "one"


async def file_of(traefik: TraefikServer) -> tuple[int, bytes]:
    path = traefik.folder / FILE
    return path.stat().st_ino, path.read_bytes()


async def emptied(database_url: str) -> None:
    session = await asyncpg.connect(database_url)
    try:
        found = await session.fetch("SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema)'")
        for row in found:
            await session.execute(f'DROP SCHEMA "{row["nspname"]}" CASCADE')
        await session.execute("CREATE SCHEMA public")
    finally:
        await session.close()
