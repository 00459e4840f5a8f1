"""`windlass rollout` against a real gateway: a weight by hand, its end whoever it is by, and what is no weight."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from support.api_requests import deploy
from support.command import Command, command_for
from support.memory_gateway import MemoryGateway
from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import RolloutStopped, RoutesApplied, WeightChanged, WeightRequested
from windlass_contracts.ids import DeploymentId


@pytest.fixture
def gateway() -> MemoryGateway:
    return MemoryGateway()


@pytest.fixture
async def command(gateway: MemoryGateway, tmp_path: Path) -> AsyncIterator[Command]:
    async with command_for(gateway, tmp_path) as running:
        yield running


@pytest.fixture
async def versions(gateway: MemoryGateway) -> tuple[DeploymentId, DeploymentId]:
    """Two versions of an environment, which the second one has."""
    async with gateway.client() as client:
        ids = [UUID((await deploy(client))["deployment"]) for _ in range(2)]
    for identity in ids:
        await gateway.make_live(identity, "shop")
    return DeploymentId(ids[0]), DeploymentId(ids[1])


@pytest.fixture
def earlier(versions: tuple[DeploymentId, DeploymentId]) -> DeploymentId:
    return versions[0]


async def asked(gateway: MemoryGateway, after: int) -> Recorded[Event]:
    """Wait for what the command asked for."""
    return await anext(aiter(gateway.log.read(after)))


async def decided(gateway: MemoryGateway, wish: Recorded[Event], change: WeightChanged) -> None:
    """Let the router decide, and the proxies confirm that."""
    generation = await gateway.append(wish.key, change)
    await gateway.append(wish.key, RoutesApplied(generation=generation, proxies=("one",), duration_ms=1))


async def test_a_weight_returns_once_it_is_confirmed_and_its_end_whatever_it_is_by(
    gateway: MemoryGateway, command: Command, versions: tuple[DeploymentId, DeploymentId]
) -> None:
    earlier, later = versions
    end = gateway.log.length
    giving = asyncio.ensure_future(command("rollout", earlier.hex[:8], "--weight", "10"))
    wish = await asked(gateway, end)
    assert isinstance(wish.event, WeightRequested)
    assert (wish.event.to, wish.event.weight) == (earlier, 10)
    place = {"environment": wish.event.environment, "deployment": earlier}
    await decided(gateway, wish, WeightChanged(**place, weight=10, why="asked", request=wish.metadata.id))
    given = await giving
    assert (given.code, given.out) == (0, f"Deployment {earlier} gets 10 % of the requests of production.\n"), given.err

    end = gateway.log.length
    another = await command("rollout", later.hex[:8], "--stop")
    assert (another.code, gateway.log.length) == (1, end)
    assert f"windlass rollout {earlier.hex[:8]} --stop" in " ".join(another.err.split())
    stopping = asyncio.ensure_future(command("rollout", earlier.hex[:8], "--stop", "--json"))
    wish = await asked(gateway, end)
    assert isinstance(wish.event, RolloutStopped)
    await decided(gateway, wish, WeightChanged(**place, weight=0, why="lost"))  # it stopped by itself in that moment
    stopped = await stopping
    assert stopped.code == 0, stopped.err
    assert (stopped.document["weighed"], stopped.document["applied"]) == (str(earlier), True)

    again = await command("rollout", earlier.hex[:8], "--stop")
    assert (again.code, gateway.log.length) == (1, wish.sequence + 2)
    assert "production" in again.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--weight", "0"], "weight"),
        (["--weight", "1000"], "weight"),
        (["--weight", "abc"], "--weight"),
        (["--weight", "10", "--to", "nowhere"], "nowhere"),
        (["--weight", "10", "--stop"], "either --weight PERCENT or --stop"),
        ([], "either --weight PERCENT or --stop"),
    ],
)
async def test_what_is_no_weight_is_refused_with_what_to_do(
    gateway: MemoryGateway, command: Command, earlier: DeploymentId, options: list[str], said: str
) -> None:
    before = gateway.log.length
    refused = await command("rollout", earlier.hex, *options)
    assert (refused.code > 0, gateway.log.length) == (True, before), refused.err
    assert said in refused.err
