"""A project's page, and what it lets people do."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from support.dashboard_story import DashboardStory
from support.memory_gateway import MemoryGateway
from windlass_contracts.events import DeploymentRequested, RollbackRequested
from windlass_contracts.ids import DeploymentId


async def test_the_page_says_what_is_live_since_when_and_what_changed(
    client: httpx.AsyncClient, told: Mapping[str, DeploymentId]
) -> None:
    page = (await client.get("/projects/shop")).text
    production = page[page.index('id="project-tiles"') : page.index('id="deployments"')]
    for text in ("http://shop.localhost:8080", "Ada Lindqvist", "768 MiB", "MAIL_FROM"):
        assert text in production
    assert re.search(
        r">Live since <time [^>]+>4\d min ago<", " ".join(production.replace("Live since", ">Live since").split())
    )
    assert f"/deployments/{told['shop-4']}" in production, "what it is compared with"
    assert "postgres://" not in page


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize(
    ("query", "there", "gone"),
    [
        ({"branch": "feature/refunds"}, "Refund in one click", "Take orders"),
        ({"environment": "staging"}, "Refund in one click", "Take orders"),
        ({"state": "failed"}, "Refund in one click", "Send invoices"),
        ({"state": "live", "environment": "production"}, "Take orders", "Refund"),
    ],
)
async def test_deployments_are_filtered(
    client: httpx.AsyncClient, query: dict[str, str], there: str, gone: str
) -> None:
    page = (await client.get("/projects/shop", params=query)).text
    found = page[page.index('id="project-history-found"') :]
    assert there in found
    assert gone not in found


async def test_every_deployment_is_reached_page_by_page(client: httpx.AsyncClient, story: DashboardStory) -> None:
    made = [await story.deploy("shop", subject=f"Commit {number}") for number in range(33)]
    seen: list[str] = []
    address: str | None = "/projects/shop"
    while address is not None:
        page = (await client.get(address)).text
        seen += re.findall(r'class="card-link" href="/deployments/([0-9a-f-]+)"', page)
        older = re.search(r'href="(/projects/shop\?before=\d+)#deployments"', page)
        address = None if older is None else older[1]
    assert seen == [str(one) for one in reversed(made)]


@pytest.mark.parametrize("query", ["before=0", "before=x", "before=99999999999999999999", "branch=" + "x" * 5_000])
@pytest.mark.usefixtures("told")
async def test_nonsense_in_the_address_is_refused(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"/projects/shop?{query}")
    assert answer.status_code == 422
    assert "<h1" in answer.text


@pytest.mark.parametrize("slug", ["nothing", "<script>", "a" * 99, "..", "%00"])
async def test_a_project_that_is_not_there_is_a_page_that_says_so(client: httpx.AsyncClient, slug: str) -> None:
    answer = await client.get(f"/projects/{slug}", follow_redirects=True)
    assert answer.status_code in {404, 200}
    assert "<script>" not in answer.text
    assert "<h1" in answer.text


@pytest.mark.usefixtures("told")
async def test_deploying_from_the_page_leads_to_the_deployment(
    client: httpx.AsyncClient, gateway: MemoryGateway
) -> None:
    form = await client.get("/projects/shop/deploy", params={"ref": "main"})
    key = re.search(r'name="key" value="([^"]+)"', form.text)
    assert key is not None
    fields = {"key": key[1], "ref": "feature/refunds", "environment": "staging"}
    answer = await client.post("/projects/shop/deploy", data=fields)
    twice = await client.post("/projects/shop/deploy", data=fields)
    assert answer.status_code == 303
    assert twice.headers["location"] == answer.headers["location"], "the same form sent twice deploys once"
    requested = gateway.log.at(gateway.log.length)
    place = urlsplit(answer.headers["location"])
    assert place.path == f"/deployments/{requested.key.id}"
    assert parse_qs(place.query)["at_least"] == [str(requested.sequence)]
    assert isinstance(requested.event, DeploymentRequested)
    assert requested.event.trigger == "page"


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize(
    ("field", "value"), [("ref", "-x"), ("ref", "a..b"), ("environment", "Not A Name"), ("environment", "<b>")]
)
async def test_what_cannot_be_deployed_is_explained_in_the_form(
    client: httpx.AsyncClient, gateway: MemoryGateway, field: str, value: str
) -> None:
    before = gateway.log.length
    answer = await client.post("/projects/shop/deploy", data={"key": "k", field: value})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "<form" in answer.text
    assert gateway.log.length == before


async def test_rolling_back_names_the_version_and_keeps_the_reason_beside_the_log(
    client: httpx.AsyncClient, gateway: MemoryGateway, told: Mapping[str, DeploymentId]
) -> None:
    assert 'href="/projects/shop/rollback#rollback-production"' in (await client.get("/projects/shop")).text
    form = (await client.get("/projects/shop/rollback")).text
    assert 'id="rollback-production"' in form
    assert told["shop-2"].hex in form
    assert told["shop-live"].hex not in form, "what answers now is nothing to go back to"
    moving = form.partition('id="rollback-production"')[2].partition("move")[2].partition("</ul>")[0]
    assert "//shop." in moving
    assert "--git--" not in moving, "a branch goes on answering with its newest version"
    fields = {"to": told["shop-2"].hex, "environment": "production", "reason": "Orders <b>fail</b>"}
    answer = await client.post("/projects/shop/rollback", data=fields)
    assert answer.status_code == 303
    asked = gateway.log.at(gateway.log.length).event
    assert isinstance(asked, RollbackRequested)
    assert asked.to == told["shop-2"]
    assert asked.note is not None
    assert await gateway.gateway.personal.texts([asked.note]) == {asked.note: "Orders <b>fail</b>"}
    assert "The way back is requested" in (await client.get(answer.headers["location"])).text


async def test_what_was_taken_back_is_said_on_the_pages_of_the_project_and_of_the_deployment(
    client: httpx.AsyncClient, story: DashboardStory, told: Mapping[str, DeploymentId]
) -> None:
    failed, good = told["shop-live"], told["shop-4"]
    await story.take_back(failed, good)
    project = (await client.get("/projects/shop")).text
    deployment = (await client.get(f"/deployments/{failed}")).text
    for page in (project, deployment):
        assert "53 of its 100 answers within a minute had a status of 500 or more." in page
        assert "Taken back</span>" in page
    assert f'Windlass took back <a class="text-link" href="/deployments/{failed}">' in project
    assert "Windlass took it back from production" in deployment
    assert f'href="/deployments/{good}">Deployment {good.hex[:7]}</a>, the version before, answers there' in deployment
    events = (await client.get("/events?project=shop")).text
    assert "took a failing version back: the one before answers again" in events
    assert "saw production fail, and wants the version before" in events


async def test_going_back_to_what_was_never_live_is_refused_in_the_form(
    client: httpx.AsyncClient, gateway: MemoryGateway, told: Mapping[str, DeploymentId]
) -> None:
    before = gateway.log.length
    fields = {"to": told["shop-failed"].hex, "environment": "staging"}
    answer = await client.post("/projects/shop/rollback", data=fields)
    assert answer.status_code == 409
    assert "was never live" in answer.text
    assert gateway.log.length == before


async def test_a_running_deployment_is_canceled_and_an_ended_one_deployed_again(
    client: httpx.AsyncClient, gateway: MemoryGateway, told: Mapping[str, DeploymentId]
) -> None:
    canceled = await client.post(f"/deployments/{told['crew']}/cancel")
    again = await client.post(f"/deployments/{told['shop-failed']}/redeploy", data={"key": "k"})
    late = await client.post(f"/deployments/{told['shop-live']}/cancel")
    assert (canceled.status_code, again.status_code, late.status_code) == (303, 303, 409)
    assert gateway.types()[-2:] == ["deployment.canceled.v1", "deployment.requested.v1"]


@pytest.mark.parametrize("path", ["/projects/shop/deploy", "/projects/shop/rollback", "/deployments/{crew}/cancel"])
async def test_a_form_without_the_token_of_the_session_changes_nothing(
    client: httpx.AsyncClient, gateway: MemoryGateway, told: Mapping[str, DeploymentId], path: str
) -> None:
    before = gateway.log.length
    del client.headers["X-CSRF-Token"]
    fields = {"key": "k", "to": told["shop-2"].hex, "csrf": "wrong"}
    answer = await client.post(path.format(crew=told["crew"]), data=fields)
    assert answer.status_code == 403
    assert gateway.log.length == before
