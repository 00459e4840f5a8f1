"""Traefik counts what visitors get, and the monitor reads that."""

import asyncio
import json

import httpx
import pytest

from support.router_events import deployment_number
from support.traefik import BASE, TraefikServer, backend
from windlass_monitor.adapters.traefik_metrics import TraefikMetrics
from windlass_monitor.application.traffic import TrafficUnknownError
from windlass_monitor.domain.answers import Answers
from windlass_router.adapters.routes_file import FILE
from windlass_router.domain.configuration import Site, Target, configuration

LIVE, GONE = deployment_number(1), deployment_number(2)


async def test_answers_are_counted_by_deployment_and_those_of_the_proxy_itself_are_no_apps(
    traefik: TraefikServer, client: httpx.AsyncClient
) -> None:
    traffic = TraefikMetrics(traefik.api_url, client)
    async with backend("one") as one:
        targets = [
            Target(LIVE, {"live.localhost": 1}, (one,)),
            Target(GONE, {"gone.localhost": 2}, (("127.0.0.1", 1),)),
        ]
        content = configuration(targets, Site("localhost", 4000, "/a-secret-path-of-tests", BASE), "1-0a").content
        (traefik.folder / FILE).write_bytes(content)
        while (await client.get(traefik.url, headers={"Host": "live.localhost"})).status_code != httpx.codes.OK:
            pass
        for _ in range(3):
            await client.get(traefik.url, headers={"Host": "gone.localhost"})
            await client.get(traefik.url, headers={"Host": "live.localhost"})
        async with asyncio.timeout(60):
            while (counted := await traffic.answers()).get(LIVE) != Answers(4, 0):  # noqa: ASYNC110 - as below
                await asyncio.sleep(0.01)  # an answer may be there before it is counted, which tells nobody
    assert counted[GONE] == Answers(0, 0)


async def test_the_counters_are_not_told_elsewhere(traefik: TraefikServer, client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{traefik.url}/metrics")
    assert answer.status_code == httpx.codes.NOT_FOUND
    assert json.dumps(BASE).count("prometheus@internal") == 1


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://127.0.0.1:1/nowhere"])
async def test_counters_that_cannot_be_read_are_said_to_be_unknown(url: str, client: httpx.AsyncClient) -> None:
    with pytest.raises(TrafficUnknownError, match="Traefik does not tell what it counted"):
        await TraefikMetrics(url, client).answers()
