"""What people do on pages: by keyboard, without scripts, and while things change."""

import re
from collections.abc import Iterator, Mapping
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Page, expect

from support.dashboard import Dashboard
from support.dashboard_pages import window
from support.harbour import INSPECTED
from windlass_contracts.ids import DeploymentId, InspectionId
from windlass_contracts.subjects import AggregateKey

pytestmark = pytest.mark.usefixtures("told")


@pytest.fixture
def page(browser: Browser, dashboard: Dashboard) -> Iterator[Page]:
    with window(browser, dashboard) as context:
        yield context.new_page()


@pytest.fixture
def plain(browser: Browser, dashboard: Dashboard) -> Iterator[Page]:
    """Yield a page of a browser that runs no scripts."""
    with window(browser, dashboard, scripts=False) as context:
        yield context.new_page()


def test_the_palette_leads_to_a_project_by_keyboard_alone(page: Page, dashboard: Dashboard) -> None:
    page.goto(dashboard.url)
    page.keyboard.press("Control+k")
    expect(page.locator("#palette-input")).to_be_focused()
    expect(page.locator("#palette-projects [role=menuitem]").first).to_be_attached()
    page.keyboard.type("tide-api")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/projects/tide-api$"))


def test_escape_closes_the_palette_and_returns_to_where_one_was(page: Page, dashboard: Dashboard) -> None:
    page.goto(dashboard.url)
    page.locator("#q").focus()
    page.keyboard.press("Control+k")
    page.keyboard.press("Escape")
    expect(page.locator("#q")).to_be_focused()


def test_the_first_tab_skips_to_the_content(page: Page, dashboard: Dashboard) -> None:
    page.goto(dashboard.url)
    page.keyboard.press("Tab")
    expect(page.locator(".skip-link")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_a_theme_that_was_chosen_stays_chosen_on_the_next_page(page: Page, dashboard: Dashboard) -> None:
    page.goto(dashboard.url)
    page.locator("[data-theme-toggle]").click()
    expect(page.locator("html")).to_have_class("dark")
    page.goto(f"{dashboard.url}/events")
    expect(page.locator("html")).to_have_class("dark")
    assert 'class="dark"' in page.content(), "and the server rendered it: no page flashes"


def test_typing_filters_the_projects(page: Page, dashboard: Dashboard) -> None:
    page.goto(dashboard.url)
    page.locator("#q").fill("shop")
    expect(page.locator("#projects > li:visible")).to_have_count(1)
    page.locator("#q").fill("nothing like that")
    expect(page.locator("#projects-none")).to_be_visible()


def test_a_deployment_is_requested_in_the_dialog_by_keyboard(page: Page, dashboard: Dashboard) -> None:
    page.goto(f"{dashboard.url}/projects/docs")
    page.get_by_role("link", name="Deploy", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#deploy-dialog")).to_have_attribute("open", "")
    page.locator("#deploy-dialog #ref").fill("main")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/deployments/[0-9a-f-]+\?at_least="))


def test_a_removal_is_asked_about_before_it_is_done(page: Page, dashboard: Dashboard) -> None:
    page.goto(f"{dashboard.url}/projects/shop/variables")
    remove = page.get_by_role("button", name="Remove STRIPE_KEY")
    remove.click()
    expect(page.locator("#confirm-title")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("STRIPE_KEY", exact=True)).to_be_visible()
    remove.click()
    page.locator("#confirm-yes").click()
    expect(page.get_by_text("The variable is removed.")).to_be_visible()
    expect(page.get_by_text("STRIPE_KEY", exact=True)).to_have_count(0)


def test_a_paste_is_previewed_while_it_is_written(page: Page, dashboard: Dashboard) -> None:
    page.goto(f"{dashboard.url}/projects/docs/variables")
    page.locator("#env").fill("API_KEY=hunter2\nnot a line\n")
    expect(page.locator("#env-preview")).to_contain_text("API_KEY")
    expect(page.locator("#env-preview")).to_contain_text("Line 2")
    expect(page.locator("#env-preview")).not_to_contain_text("hunter2")


def test_a_card_shows_what_happens_without_being_asked(page: Page, dashboard: Dashboard) -> None:
    page.goto(dashboard.url)
    card = page.locator("#projects > li", has=page.get_by_role("link", name="docs", exact=True))
    expect(page.locator("#connection")).to_contain_text("Live")
    story = dashboard.story()
    deployment = dashboard.run(story.deploy("docs", subject="Said while somebody looks"))
    expect(card).to_contain_text("Said while somebody looks")
    dashboard.run(story.live(deployment))
    expect(card.locator("p.truncate")).to_contain_text("Said while somebody looks")


def test_the_tab_says_how_a_project_stands(page: Page, dashboard: Dashboard, told: Mapping[str, DeploymentId]) -> None:
    page.goto(f"{dashboard.url}/projects/crew-rota")
    expect(page).to_have_title(re.compile("Building"))
    expect(page.locator("#connection")).to_contain_text("Live")
    dashboard.run(dashboard.story().fail(told["crew"]))
    expect(page).to_have_title(re.compile("Failed"))
    expect(page.locator("#favicon")).to_have_attribute("href", re.compile("favicon-failed"))


def test_the_form_appears_once_the_repository_was_looked_into(page: Page, dashboard: Dashboard) -> None:
    page.goto(f"{dashboard.url}/new")
    page.locator("#git").fill("https://git.example.com/harbour/moon")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/new/[0-9a-f-]+"))
    expect(page.locator("#connection")).to_contain_text("Live")
    inspection = InspectionId(UUID(page.url.split("/new/")[1].partition("?")[0]))
    story = dashboard.story()
    dashboard.run(story.append(AggregateKey.of_inspection(story.caller.team, inspection), INSPECTED))
    expect(page.get_by_text("package.json has a start script.")).to_be_visible()
    page.locator("#env").fill("MOON=full")
    expect(page.locator("#env-preview")).to_contain_text("MOON")
    page.get_by_role("button", name="Deploy", exact=True).click()
    page.wait_for_url(re.compile("/deployments/"))


def test_everything_can_be_done_without_scripts(plain: Page, dashboard: Dashboard) -> None:
    plain.goto(f"{dashboard.url}/?q=docs")
    plain.get_by_role("link", name="docs", exact=True).click()
    plain.get_by_role("link", name="Deploy", exact=True).click()
    plain.get_by_role("button", name="Deploy").click()
    plain.wait_for_url(re.compile("/deployments/"))
    plain.goto(f"{dashboard.url}/projects/shop/rollback")
    plain.get_by_role("button", name="Roll back production").click()
    expect(plain.get_by_text("The way back is requested")).to_be_visible()
    plain.goto(f"{dashboard.url}/projects/docs/variables")
    plain.locator("#env").fill("PLAIN=1")
    plain.get_by_role("button", name="See what it does").click()
    plain.get_by_role("button", name="Set 1").click()
    expect(plain.get_by_text("The variables are set.")).to_be_visible()


def test_a_command_is_copied(page: Page, dashboard: Dashboard) -> None:
    page.goto(f"{dashboard.url}/projects/shop")
    page.get_by_role("button", name="Copy the address").first.click()
    page.wait_for_function("async () => await navigator.clipboard.readText() === 'http://shop.localhost:8080'")


def test_hostile_names_are_shown_and_do_nothing(page: Page, dashboard: Dashboard) -> None:
    hostile = "<img src=x onerror=window.__hit=1>\N{RIGHT-TO-LEFT OVERRIDE}</script><script>window.__hit=1</script>"
    dashboard.run(dashboard.story().deploy("hostile", subject=hostile + "x" * 10_000, author=hostile))
    for path in ("/", "/projects/hostile"):
        page.goto(f"{dashboard.url}{path}")
        expect(page.locator("#main")).to_contain_text("<img src=x onerror")
        assert page.evaluate("window.__hit") is None
        assert page.evaluate("__refused") == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
