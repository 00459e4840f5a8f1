"""How an environment answered its probes: in figures and units by the API, as pictures with words on the pages."""

from datetime import UTC, datetime
from uuid import UUID

from support.api_requests import assert_problem, deploy
from support.memory_gateway import MemoryGateway
from windlass_contracts.series import Resolution, Series, Sum, series_key, written
from windlass_eventlog.buckets import Change
from windlass_gateway.application.projections import DEPLOYMENTS

PATH = "/projects/shop/environments/production/series"


async def probed(gateway: MemoryGateway, deployment: str) -> int:
    """Let the gateway know of a minute with a bad probe; return the minute."""
    found = await gateway.rows.get(DEPLOYMENTS, UUID(deployment))
    assert found is not None
    minute = int(gateway.gateway.uptimes.clock().timestamp()) // Resolution.MINUTES.unit_s
    one = Sum(12, 1, 220, 90)
    series = Series({minute: one}, {minute // 60: one}, {minute // 1_440: one})
    key = series_key(found.row.project, found.row.environment)
    gateway.gateway.uptimes.take(Change(key, written(series)))
    return minute


async def test_an_environment_is_told_with_its_uptime_and_what_it_is_made_of() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        deployment = (await deploy(client))["deployment"]
        await gateway.make_live(UUID(deployment), "shop")
        assert (await client.get(PATH)).json() == {"minutes": [], "hours": [], "days": []}
        assert (await client.get("/projects/shop/environments/production")).json()["uptime"] is None

        minute = await probed(gateway, deployment)

        at = datetime.fromtimestamp(minute * 60, UTC)
        told = (await client.get(PATH)).json()
        (one,) = told["minutes"]
        assert datetime.fromisoformat(one.pop("at")) == at
        assert one == {"probes": 12, "bad": 1, "mean_ms": 20.0, "worst_ms": 90}
        assert [len(told[unit]) for unit in ("hours", "days")] == [1, 1]
        (production,) = (await client.get("/projects/shop")).json()["environments"]
        assert production["uptime"] == {"day": 91.66, "week": 91.66, "quarter": 91.66}
        assert_problem(await client.get("/projects/shop/environments/nowhere/series"), 404, "environment")
        assert_problem(await client.get("/projects/nobody/environments/production/series"), 404, "project")


async def test_pages_show_it_as_pictures_that_say_what_they_show() -> None:
    gateway = MemoryGateway()
    async with gateway.client() as client:
        deployment = (await deploy(client))["deployment"]
    await gateway.make_live(UUID(deployment), "shop")
    async with gateway.browser() as browser:
        before = (await browser.get("/projects/shop")).text
        listed_before = (await browser.get("/")).text
        await probed(gateway, deployment)
        page = (await browser.get("/projects/shop")).text
        listed = (await browser.get("/")).text

    assert "once it was probed for a minute" in before
    assert 'class="sparkline' not in before + listed_before
    words = 'role="img" aria-label="Last 3 hours: 20 ms on average, 90 ms at worst; bad answers within 3 minutes; 177'
    for shown in (page, listed):
        assert words in shown
        assert "91.66 %" in shown
    assert 'aria-label="Last 90 days: 1 known, 1 of them with bad answers"' in page
