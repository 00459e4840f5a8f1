"""A browser takes every name below `localhost` for this machine: an app's address works as it is printed.

A domain of somebody's own leads to the app as soon as it is assigned, and nowhere once it is removed.
"""

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
    _has_a_domain(story)


def _has_a_domain(story: Story) -> None:
    host = f"{story.project}.harbour.example"
    path = f"/projects/{story.project}/domains/{host}"
    assert story.platform.get(host, whole=True)[0] == 404
    status, done = story.platform.api("PUT", path, {"environment": "production"})
    assert status == 200, done
    story.until_moved(done["sequence"])
    status, body = story.platform.get(host, whole=True)
    assert (status, "Hello from Windlass" in body.decode()) == (200, True)
    status, done = story.platform.api("DELETE", path)
    assert status == 200, done
    story.until_moved(done["sequence"])
    assert story.platform.get(host, whole=True)[0] == 404
