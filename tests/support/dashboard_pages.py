"""Every page of the dashboard, and the ways in which a browser looks at it: what tests and the benchmark go through."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any
from uuid import UUID

from playwright.sync_api import Browser, BrowserContext, Page, Request, Response, expect, sync_playwright

from support.dashboard import Dashboard
from windlass.provisioning.browser import ensure_browser
from windlass.provisioning.progress import Silence

expect.set_options(timeout=60_000)  # patience for slow machines: what is expected shows within moments elsewhere

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDTHS = (375, 1280)
SCHEMES = ("light", "dark")
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
# Runs before anything of the page: what the policy refused, and what broke, is on the record from the first moment.
_RECORD = """
window.__refused = []; window.__broken = [];
const refuse = (event) => __refused.push(`${event.violatedDirective}: ${event.blockedURI || event.sample}`);
document.addEventListener("securitypolicyviolation", refuse);
addEventListener("error", (event) => __broken.push(String(event.message)));
addEventListener("unhandledrejection", (event) => __broken.push(String(event.reason)));
"""
_PAINTED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
_OPEN = "selector => document.querySelector(selector).click()"


@dataclass(frozen=True, slots=True)
class Place:
    """A page, and what is opened on it before it is looked at."""

    path: str
    opened: str | None = None
    status: int = 200
    signed_in: bool = True

    @property
    def name(self) -> str:
        return self.path if self.opened is None else f"{self.path} {self.opened}"


PLACES = (
    Place("/"),
    Place("/?q=nothing-like-that"),
    Place("/", opened="[data-palette]"),
    Place("/new"),
    Place("/new/{looking}"),
    Place("/new/{found}"),
    Place("/new/{unreadable}"),
    Place("/projects/shop"),
    Place("/projects/shop", opened="[data-dialog=deploy-dialog]"),
    Place("/projects/shop?state=failed"),
    Place("/projects/shop/deploy"),
    Place("/projects/shop/rollback"),
    Place("/projects/docs/rollback"),
    Place("/projects/shop/variables"),
    Place("/projects/shop/variables", opened="[aria-label='Remove STRIPE_KEY']"),
    Place("/projects/shop/variables/shred?name=STRIPE_KEY&environment=production"),
    Place("/projects/docs/variables"),
    Place("/projects/shop/settings"),
    Place("/deployments/{shop-live}"),
    Place("/deployments/{shop-failed}"),
    Place("/deployments/{shop-2}"),
    Place("/deployments/{api-failed}"),
    Place("/deployments/{crew}"),
    Place("/events"),
    Place("/settings/tokens"),
    Place("/settings/tokens", opened="[aria-label='Revoke Nightly deploys']"),
    Place("/projects/nothing", status=404),
    Place("/projects/shop?before=x", status=422),
    Place("/sign-in", signed_in=False),
)


@dataclass(slots=True)
class Look:
    """What a browser met while it showed a page."""

    page: Page
    status: int
    requests: list[str]
    refused: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def note(self) -> None:
        """Fetch what the page recorded."""
        self.refused = self.page.evaluate("__refused")
        self.broken = [*self.broken, *self.page.evaluate("__broken")]

    @property
    def nodes(self) -> int:
        return int(self.page.evaluate("document.querySelectorAll('*').length"))

    @property
    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    def show(self, width: int, scheme: Any) -> None:  # noqa: ANN401 - Playwright's own literal
        """Look at it in a window of another width, light or dark."""
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        self.page.evaluate(_PAINTED)

    def violations(self) -> list[str]:
        """Return what axe finds wrong. It is put in by the debugger: the page's own policy lets no script in."""
        if not self.page.evaluate("'axe' in window"):
            session = self.page.context.new_cdp_session(self.page)
            session.send("Runtime.evaluate", {"expression": _AXE})
            session.detach()
        found = self.page.evaluate("rules => axe.run(document, {runOnly: rules})", AXE_RULES)
        return [_told(one) for one in found["violations"]]


def _told(violation: Mapping[str, Any]) -> str:
    first = violation["nodes"][0]
    return f"{violation['id']} x{len(violation['nodes'])}: {first['html'][:160]} {first['failureSummary'][:200]}"


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Debian's Chromium, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=ensure_browser(Silence()), args=list(FLAGS))
        yield browser
        browser.close()


@contextmanager
def window(
    browser: Browser,
    dashboard: Dashboard,
    *,
    width: int = 1280,
    scheme: Any = "light",  # noqa: ANN401 - Playwright's own literal
    signed_in: bool = True,
    scripts: bool = True,
) -> Iterator[BrowserContext]:
    """Open a window of a new profile."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        reduced_motion="reduce",
        java_script_enabled=scripts,
        permissions=["clipboard-read", "clipboard-write"],
    )
    if signed_in:
        cookie = dashboard.cookie()
        context.add_cookies([{"name": cookie["name"], "value": cookie["value"], "url": cookie["url"]}])
    context.add_init_script(_RECORD)
    yield context
    context.close()


def look_at(context: BrowserContext, dashboard: Dashboard, place: Place, told: Mapping[str, UUID]) -> Look:
    """Show a page, and open what is to be opened on it."""
    page = context.new_page()
    requests: list[str] = []
    broken: list[str] = []

    def count(request: Request) -> None:
        requests.append(request.url)

    page.on("request", count)
    page.on("pageerror", lambda error: broken.append(str(error)))
    answer: Response | None = page.goto(f"{dashboard.url}{place.path.format(**told)}", wait_until="load")
    assert answer is not None
    page.evaluate("document.fonts.ready.then(() => true)")
    if place.opened is not None:
        page.evaluate(_OPEN, place.opened)
        page.locator("dialog[open]").wait_for(state="attached")
        page.wait_for_load_state("load")
    look = Look(page, answer.status, requests, broken=broken)
    look.note()
    return look
