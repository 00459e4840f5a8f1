"""A browser takes every name below `localhost` for this machine: an app's address works as it is printed."""

from support.dashboard_pages import chromium
from support.installations import GitHost
from support.story import Story


def test_an_app_answers_in_a_browser_at_the_address_that_the_command_printed(story: Story, git_host: GitHost) -> None:
    _, url = git_host.repository("hello-python")
    deployment = story.deploy(url)
    with chromium() as browser:
        page = browser.new_page()
        answer = page.goto(deployment["urls"][0])
        assert answer is not None
        assert answer.ok
        assert "Hello from Windlass" in page.content()
