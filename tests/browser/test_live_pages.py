"""Pages that show what happens as it happens: without being loaded anew, across lost connections, and never twice."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from support.dashboard import Dashboard
from support.dashboard_pages import window
from support.dashboard_story import DashboardStory
from windlass_contracts.ids import DeploymentId
from windlass_contracts.logs import LogLine

SAME = "window.stillTheSame"


@pytest.fixture
def page(browser: Browser, dashboard: Dashboard) -> Iterator[Page]:
    with window(browser, dashboard) as context:
        tall = context.new_page()
        tall.set_viewport_size({"width": 1280, "height": 1_400})  # so that the whole of the log is on the screen
        yield tall


@pytest.fixture
def story(dashboard: Dashboard) -> DashboardStory:
    return dashboard.story()


@pytest.fixture
def deployment(dashboard: Dashboard, story: DashboardStory) -> DeploymentId:
    return dashboard.run(story.deploy("shop", subject="Take orders"))


def opened(page: Page, dashboard: Dashboard, path: str) -> Page:
    """Load a page, wait until it is live, and leave a mark that a second load would wipe away."""
    page.goto(f"{dashboard.url}{path}")
    expect(page.locator("#connection")).to_have_text("Live")
    page.evaluate(f"{SAME} = true")
    return page


def write(dashboard: Dashboard, deployment: DeploymentId, *texts: str, first: int = 0) -> None:
    """Store lines of the deployment's first build."""
    lines = (LogLine(time_ns=number, text=text) for number, text in enumerate(texts))
    dashboard.run(dashboard.story().write(deployment, "build-1", *lines, first=first))


async def _drop_streams(dashboard: Dashboard) -> None:
    """End every stream of the hub, as a proxy that restarts does."""
    for channel in dashboard.context.hub._channels.values():
        channel.end("dropped by the test")


def test_a_deployment_is_shown_as_it_goes_on(
    page: Page, dashboard: Dashboard, story: DashboardStory, deployment: DeploymentId
) -> None:
    opened(page, dashboard, f"/deployments/{deployment}")
    expect(page.locator("#deployment-status")).to_have_text("Queued")
    dashboard.run(story.build(deployment))
    expect(page.locator("#deployment-status")).to_have_text("Building")
    expect(page.locator("#deployment-timeline [data-state=running]")).to_contain_text("Fetch and build")
    dashboard.run(story.fail(deployment, "The build command ended with exit code 1."))
    expect(page.locator("#deployment-now")).to_contain_text("What most likely helps")
    expect(page).to_have_title(re.compile("^Failed"))
    expect(page.get_by_role("button", name="Redeploy")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    assert page.evaluate(SAME)


def test_what_happens_while_the_connection_is_lost_is_shown_once_it_is_back(
    page: Page, dashboard: Dashboard, story: DashboardStory
) -> None:
    opened(page, dashboard, "/events")
    before = page.locator("#events > li").count()
    dashboard.run(_drop_streams(dashboard))
    dashboard.run(story.deploy("lost-and-found"))  # its project, its environment, its request
    expect(page.locator("#events > li")).to_have_count(before + 3)
    numbers = page.eval_on_selector_all("#events > li", "items => items.map((item) => Number(item.id.slice(1)))")
    assert numbers == sorted(set(numbers), reverse=True)
    expect(page.locator("#connection")).to_have_text("Live")
    assert page.evaluate(SAME)


def test_a_page_that_cannot_go_on_loads_itself_anew(page: Page, dashboard: Dashboard) -> None:
    opened(page, dashboard, "/events")
    page.evaluate("document.getElementById('live')._htmx.sse.lastEventId = 'nonsense'")
    with page.expect_navigation():
        dashboard.run(_drop_streams(dashboard))
    expect(page.locator("#connection")).to_have_text("Live")
    assert page.evaluate(SAME) is None


def test_a_page_whose_session_ended_goes_to_sign_in_and_knows_the_way_back(page: Page, dashboard: Dashboard) -> None:
    opened(page, dashboard, "/events")
    page.context.clear_cookies()
    dashboard.run(_drop_streams(dashboard))
    page.wait_for_url("**/sign-in?next=%2Fevents")


def test_an_event_opens_to_all_that_stands_in_the_log(
    page: Page, dashboard: Dashboard, deployment: DeploymentId
) -> None:
    opened(page, dashboard, "/events")
    newest = page.locator("#events > li").first
    newest.locator("summary").click()
    expect(newest.locator("pre")).to_contain_text(str(deployment))
    page.goto(f"{dashboard.url}/events?before=2#e1")
    expect(page.locator("#e1")).to_be_in_viewport()


def test_a_log_is_followed_at_its_end_and_left_alone_elsewhere(
    page: Page, dashboard: Dashboard, deployment: DeploymentId
) -> None:
    write(dashboard, deployment, *(f"line {number}" for number in range(1, 101)))
    opened(page, dashboard, f"/deployments/{deployment}")
    expect(page.locator("#L100")).to_be_in_viewport()
    write(dashboard, deployment, "\x1b[31mline 101\x1b[0m", first=100)
    expect(page.locator("#L101")).to_be_in_viewport()
    expect(page.locator("#L101 .sgr-1")).to_have_text("line 101")
    page.locator("#log").evaluate("log => { log.scrollTop = 0; }")
    expect(page.locator("#L1")).to_be_in_viewport()
    write(dashboard, deployment, "line 102", "line 103", first=101)
    expect(page.locator("#log-new")).to_have_text("2 new lines")
    expect(page.locator("#L1")).to_be_in_viewport()
    page.locator("#log-new").click()
    expect(page.locator("#L103")).to_be_in_viewport()
    expect(page.locator("#log-new")).to_be_hidden()
    assert page.locator("#log-lines li").count() == 103


def test_a_link_to_lines_opens_them_however_long_the_log_is(
    page: Page, dashboard: Dashboard, deployment: DeploymentId
) -> None:
    write(dashboard, deployment, *(f"line {number}" for number in range(1, 3_001)))
    opened(page, dashboard, f"/deployments/{deployment}?source=build-1#L400-L402")
    expect(page.locator("#L400")).to_be_in_viewport()
    expect(page.locator("#log-lines li.marked")).to_have_text(["400line 400", "401line 401", "402line 402"])
    page.locator("#L410 > a").click()
    page.locator("#L412 > a").click(modifiers=["Shift"])
    expect(page).to_have_url(re.compile(rf"/deployments/{deployment}\?source=build-1#L410-L412$"))
    expect(page.locator("#log-lines li.marked")).to_have_count(3)
    page.locator("#log-new").click()
    expect(page.locator("#L3000")).to_be_in_viewport()
    page.locator("#log").evaluate("log => { log.scrollTop = 0; }")
    expect(page.locator("#L2700")).to_be_attached()


def test_a_search_counts_in_all_lines_and_leads_from_one_to_the_next(
    page: Page, dashboard: Dashboard, deployment: DeploymentId
) -> None:
    texts = ["Error: no such file" if number in {7, 1_500} else f"line {number}" for number in range(1, 2_001)]
    write(dashboard, deployment, *texts)
    opened(page, dashboard, f"/deployments/{deployment}")
    page.locator("#log-search").fill("ERROR")
    expect(page.locator("#log-found")).to_have_text("2 lines")
    page.locator("#log-search").press("Enter")
    expect(page.locator("#L7")).to_be_in_viewport()
    expect(page.locator("#log-found")).to_have_text("1 of 2")
    page.get_by_role("button", name="Next match").click()
    expect(page.locator("#L1500")).to_be_in_viewport()
    page.get_by_role("button", name="First error").click()
    expect(page.locator("#L7.marked")).to_be_in_viewport()
    expect(page).to_have_url(re.compile("#L7$"))
