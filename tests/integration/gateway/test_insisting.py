"""The gateway goes away in the middle of a request: it is sent again and done once, or said not to be known."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from support.api_requests import deploy
from support.command import Command, finished
from support.http_server import served
from support.memory_gateway import TOKEN, MemoryGateway
from windlass.api import Api
from windlass.commands.insisting import followed, patiently, requested
from windlass.connection import Connection
from windlass.errors import OutOfSightError, UnknownOutcomeError, UnreachableError
from windlass_contracts.events import RestartRequested, RestartSucceeded
from windlass_contracts.ids import EventId

_FOREVER = 1_000


@asynccontextmanager
async def cut_off(url: str, answers: int) -> AsyncIterator[str]:
    """Yield the address of a proxy that swallows the first answers: the gateway did what nobody learns of."""
    gateway = urlsplit(url)
    left = [answers]

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, to_gateway = await asyncio.open_connection(gateway.hostname, gateway.port)
        asking = asyncio.ensure_future(_copied(reader, to_gateway))
        try:
            while piece := await upstream.read(65_536):
                if left[0]:
                    left[0] -= 1
                    break
                writer.write(piece)
                await writer.drain()
        finally:
            asking.cancel()
            to_gateway.close()
            writer.close()

    server = await asyncio.start_server(pass_on, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65_536):
        writer.write(piece)
        await writer.drain()


@pytest.fixture
def gateway() -> MemoryGateway:
    return MemoryGateway()


@pytest.fixture
async def live(gateway: MemoryGateway) -> UUID:
    async with gateway.client() as client:
        identity = UUID((await deploy(client))["deployment"])
    await gateway.make_live(identity, "shop")
    return identity


def restarts(gateway: MemoryGateway) -> list[EventId]:
    recorded = (gateway.log.at(number) for number in range(1, gateway.log.length + 1))
    return [one.metadata.id for one in recorded if isinstance(one.event, RestartRequested)]


async def test_a_restart_whose_answer_was_lost_is_asked_for_again_and_happens_once(
    gateway: MemoryGateway, live: UUID, tmp_path: Path
) -> None:
    async with served(gateway) as url, cut_off(url, 1) as proxy:
        command = Command(tmp_path, {"WINDLASS_URL": proxy, "WINDLASS_TOKEN": TOKEN})
        running = await command.start("restart", "shop", "--json")
        async for recorded in gateway.log.read(0):
            if isinstance(recorded.event, RestartRequested):
                break
        # It is over before the command asks again.
        await gateway.tell(live, [RestartSucceeded(request=recorded.metadata.id, replaced=1, duration_ms=5)])
        outcome = await finished(running)
    assert outcome.code == 0, outcome.err
    assert (outcome.document["replaced"], len(restarts(gateway))) == (1, 1)


async def test_the_same_key_is_the_same_restart_and_another_key_another_one(gateway: MemoryGateway, live: UUID) -> None:
    async with gateway.client() as client:
        answers = [
            (await client.post(path, headers={"Idempotency-Key": key})).json()
            for path in ("/projects/shop/restart", f"/deployments/{live}/restart")
            for key in ("one", "one", "two")
        ]
    assert [one["request"] for one in answers[:3]] == [one["request"] for one in answers[3:]]
    assert restarts(gateway) == [UUID(answers[0]["request"]), UUID(answers[2]["request"])]
    assert answers[1]["sequence"] == answers[0]["sequence"], "whoever follows it begins where it stands"


async def test_scaling_through_a_lost_answer_scales_once(gateway: MemoryGateway, live: UUID) -> None:
    async with served(gateway) as url, cut_off(url, 1) as proxy, Api(Connection(proxy, TOKEN)) as api:
        accepted = await requested(api, "/projects/shop/scale", {"replicas": 2}, "scaling", "windlass ps")
    assert UUID(accepted["deployment"]) == live
    assert gateway.types().count("deployment.scaled.v1") == 1


async def test_what_nobody_answers_is_said_not_to_be_known_with_what_shows_it(
    gateway: MemoryGateway, live: UUID
) -> None:
    async with served(gateway) as url, cut_off(url, _FOREVER) as proxy, Api(Connection(proxy, TOKEN)) as api:
        with pytest.raises(UnknownOutcomeError) as unknown:
            await requested(api, "/projects/shop/restart", {}, "the restart", "windlass ps shop", patience=0.1)
    assert unknown.value.what.startswith("It is not known whether the restart was accepted")
    assert "`windlass ps shop` shows whether it was" in unknown.value.remedy
    assert (live is not None, len(restarts(gateway))) == (True, 1)


async def test_what_was_never_sent_is_not_waited_for() -> None:
    async with Api(Connection("http://127.0.0.1:1", TOKEN)) as api:
        with pytest.raises(UnreachableError, match="nothing listens there"):
            await requested(api, "/projects/shop/restart", {}, "the restart", "windlass ps shop", patience=_FOREVER)
        with pytest.raises(OutOfSightError, match="The restart was accepted and goes on"):
            await followed(patiently(lambda: api.get("/deployments"), 0), "the restart", "windlass ps shop")
