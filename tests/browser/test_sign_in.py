"""Signing in and out in a real browser; and an app on a sibling host that would like to send our forms."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import Browser, async_playwright

from support.http_server import served
from support.memory_gateway import TOKEN, MemoryGateway
from windlass.provisioning.browser import ensure_browser
from windlass.provisioning.progress import Silence

DOMAIN = "example.test"
"""Hosts below it are one site, as those of a real domain are; to browsers each name below `localhost` is its own."""

FLAGS = (
    f"--host-resolver-rules=MAP *.{DOMAIN} 127.0.0.1",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=ensure_browser(Silence()), args=list(FLAGS))
        yield chromium
        await chromium.close()


async def link_to(url: str, home: str) -> str:
    """Return the path of a new link, below the host name under which the browser knows the dashboard."""
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as client:
        parts = urlsplit((await client.post(f"{url}/api/v1/sign-in-links")).json()["url"])
    return f"{home}{parts.path}?{parts.query}"


@asynccontextmanager
async def evil_app(content: str) -> AsyncIterator[str]:
    """Yield the address of an app on a sibling host that answers with a page."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = (
            f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
        )
        writer.write(f"{head}{content}".encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://evil.{DOMAIN}:{server.sockets[0].getsockname()[1]}/"


async def test_a_link_signs_in_by_its_button_and_a_sibling_host_can_send_no_form(browser: Browser) -> None:
    gateway = MemoryGateway(domain=DOMAIN)
    async with served(gateway) as url:
        home = f"http://windlass.{DOMAIN}:{urlsplit(url).port}"
        page = await browser.new_page()
        await page.goto(f"{home}/events")
        assert urlsplit(page.url).path == "/sign-in"
        await page.goto(f"{await link_to(url, home)}&next=/events")
        await page.get_by_role("button", name="Sign in").click()
        await page.wait_for_url(f"{home}/events")
        (cookie,) = await page.context.cookies(home)
        assert (cookie["httpOnly"], cookie["sameSite"], cookie["domain"]) == (True, "Lax", f"windlass.{DOMAIN}")

        csrf = await page.locator("form[action='/sign-out'] input[name=csrf]").get_attribute("value")
        form = f"<form method=post action='{home}/sign-out'><input name=csrf value='{csrf}'></form>"
        async with (
            evil_app(f"{form}<script>document.forms[0].submit()</script>") as evil,
            page.expect_navigation(url=f"{home}/sign-out"),
        ):
            await page.goto(evil)
        assert "not sent from here" in await page.content()
        await page.goto(f"{home}/events")
        assert urlsplit(page.url).path == "/events"

        await page.get_by_role("button", name="Sign out").click()
        await page.wait_for_url(f"{home}/sign-in")
        await page.goto(f"{home}/events")
        assert urlsplit(page.url).path == "/sign-in"
