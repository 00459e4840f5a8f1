"""The way of a new user, by the pages alone: deploy, push, watch it go live, break it, understand why, go back."""

import asyncio
import json
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Page, expect

from support.dashboard_pages import chromium
from support.git_server import Repository
from support.github_sender import GitHub, Payload, push
from support.installations import GitHost, read_example
from support.platform import Platform

SERVER = read_example("hello-python")["server.py"]
PATIENCE_MS = 60_000


def saying(word: str) -> str:
    """Return an app that answers with the word and with a variable of its own."""
    words = "{os.environ.get('GREETING', 'no greeting')}: " + word
    return SERVER.replace("Hello from Windlass, commit {COMMIT[:12]}.", words)


@dataclass(frozen=True)
class Visit:
    """Somebody in front of a browser, and what lies behind the project that they make."""

    page: Page
    platform: Platform
    repository: Repository
    url: str

    @property
    def slug(self) -> str:
        return self.url.rsplit("/", 1)[-1]

    @property
    def own(self) -> str:
        return f"http://windlass.localhost:{self.platform.port}"

    def answer(self) -> str:
        return self.platform.get(self.slug)[1].decode().strip()

    def until_it_answers(self, wanted: str) -> None:
        """Wait for an answer: the page shows where an address leads a moment before the proxy serves that."""
        end = time.monotonic() + PATIENCE_MS / 1_000
        while (said := self.answer()) != wanted:
            assert time.monotonic() < end, said
            time.sleep(0.05)

    def live(self) -> None:
        """Wait, without loading the page anew, until it says that the deployment is live."""
        expect(self.page.locator("#deployment-status")).to_contain_text("Live", timeout=PATIENCE_MS)


@pytest.fixture
def page() -> Iterator[Page]:
    with chromium() as browser:
        yield browser.new_page()


@pytest.fixture
def visit(page: Page, platform: Platform, git_host: GitHost) -> Visit:
    repository, url = git_host.repository("hello-python")
    repository.commit({"server.py": saying("first")})
    said = platform.windlass("login-link", "--json")
    page.goto(json.loads(said.stdout)["url"])
    page.get_by_role("button", name="Sign in").click()
    return Visit(page, platform, repository, url)


@pytest.mark.timeout(300)  # many steps, each with its own patience
def test_a_new_user_deploys_pushes_breaks_understands_and_goes_back(visit: Visit) -> None:
    deploy_own_repository(visit)
    hook = set_up_webhook(visit)
    push_and_watch(visit, hook)
    break_it_and_understand(visit, hook)
    go_back(visit)


def deploy_own_repository(visit: Visit) -> None:
    page = visit.page
    page.get_by_role("link", name="New project").first.click()
    page.get_by_label("Git repository").fill(visit.url)
    page.get_by_role("button", name="Look into it").click()
    expect(page.get_by_text("exec python3 server.py").first).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_label("Variables").fill("# what it says\nexport GREETING='Good morning'\n")
    page.get_by_role("button", name="Deploy").click()
    visit.live()
    assert visit.answer() == "Good morning: first"
    expect(page.locator("#log-lines")).to_contain_text("Listening on port", timeout=PATIENCE_MS)


def set_up_webhook(visit: Visit) -> Mapping[str, str]:
    page = visit.page
    page.goto(f"{visit.own}/projects/{visit.slug}/settings")
    github = page.get_by_role("region", name="GitHub")
    github.get_by_text("Show the secret").click()
    address, secret, *_of_the_steps = github.locator("code").all_text_contents()
    return {"url": address, "secret": secret}


def pushed(visit: Visit, hook: Mapping[str, str], files: Mapping[str, str], subject: str) -> None:
    """Commit and push; GitHub tells of it."""
    commit = visit.repository.commit(files)
    body = push(commit=commit)
    body["repository"] |= {"clone_url": visit.url, "html_url": visit.url, "ssh_url": None}
    body["head_commit"]["message"] = subject
    with ThreadPoolExecutor(1) as elsewhere:  # the browser has the loop of this thread
        elsewhere.submit(asyncio.run, delivered(visit, hook, body)).result()


async def delivered(visit: Visit, hook: Mapping[str, str], body: Payload) -> None:
    host = f"windlass.localhost:{visit.platform.port}"
    base = f"http://127.0.0.1:{visit.platform.port}"
    async with httpx.AsyncClient(base_url=base, headers={"Host": host}, trust_env=False, timeout=60) as client:
        answer = await GitHub(client, hook["secret"], urlsplit(hook["url"]).path).deliver(body)
    assert answer.is_success, answer.text


def push_and_watch(visit: Visit, hook: Mapping[str, str]) -> None:
    page = visit.page
    page.goto(f"{visit.own}/projects/{visit.slug}")
    pushed(visit, hook, {"server.py": saying("second")}, "Say it a second time")
    production = page.get_by_role("region", name="Production")
    expect(production).to_contain_text("Say it a second time", timeout=PATIENCE_MS)
    expect(production).to_contain_text("Live")
    visit.until_it_answers("Good morning: second")


def break_it_and_understand(visit: Visit, hook: Mapping[str, str]) -> None:
    page = visit.page
    pushed(visit, hook, {"server.py": "import what_is_not_there\n"}, "Break it")
    broken = page.get_by_role("link", name="Break it")
    broken.first.click(timeout=PATIENCE_MS)
    expect(page.locator("#deployment-status")).to_contain_text("Failed", timeout=PATIENCE_MS)
    now = page.get_by_role("region", name="Now")
    expect(now).to_contain_text("What most likely helps")
    expect(now).to_contain_text("What was live before stays live")
    expect(page.locator("#log-lines")).to_contain_text("No module named 'what_is_not_there'", timeout=PATIENCE_MS)
    assert visit.answer() == "Good morning: second"


def go_back(visit: Visit) -> None:
    page = visit.page
    page.goto(f"{visit.own}/projects/{visit.slug}")
    page.get_by_role("region", name="Production").get_by_role("link", name="Roll back").click()
    page.get_by_role("button", name="Roll back production").click()
    expect(page.get_by_role("region", name="Production")).not_to_contain_text(
        "Say it a second time", timeout=PATIENCE_MS
    )
    expect(page.get_by_role("region", name="Production")).to_contain_text("Live")
    visit.until_it_answers("Good morning: first")
