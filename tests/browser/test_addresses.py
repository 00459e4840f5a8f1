"""A browser takes every name below `localhost` for this machine: an app's address works as it is printed."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from support.installations import GitHost
from support.story import Story
from windlass.provisioning.browser import ensure_browser
from windlass.provisioning.progress import Silence

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=ensure_browser(Silence()), args=list(FLAGS))
        yield chromium
        chromium.close()


def test_an_app_answers_in_a_browser_at_the_address_that_the_command_printed(
    story: Story, git_host: GitHost, browser: Browser
) -> None:
    _, url = git_host.repository("hello-python")
    deployment = story.deploy(url)
    page = browser.new_page()
    answer = page.goto(deployment["urls"][0])
    assert answer is not None
    assert answer.ok
    assert "Hello from Windlass" in page.content()
