"""The dashboard's files as browsers fetch them, and errors as people see them."""

import httpx
import pytest

from support.memory_gateway import MemoryGateway
from windlass_gateway.entrypoints.pages.assets import assets

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def outsider(gateway: MemoryGateway) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=gateway.app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://windlass.localhost")


@pytest.mark.parametrize("name", ["app.css", "app.js", "icons.svg", "geist.woff2", "favicon.svg"])
async def test_a_built_file_is_kept_for_ever_and_arrives_whole(name: str) -> None:
    address = assets().address(name)
    async with outsider(MemoryGateway()) as client:
        answer = await client.get(address)
        plain = await client.get(address, headers={"Accept-Encoding": "identity"})
    assert answer.status_code == 200
    assert answer.content == plain.content == assets().by_address[address.rsplit("/", 1)[1]].plain
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "content-encoding" not in plain.headers


@pytest.mark.parametrize(
    "path",
    [
        "/static/app.css",
        "/static/manifest.json",
        "/static/..%2fapp.py",
        "/static/%2e%2e/app.py",
        "/static/../app.py",
        "/static/",
        "/static/" + "a" * 5_000,
        "/static/%00",
    ],
)
async def test_nothing_but_built_files_is_served(path: str) -> None:
    async with outsider(MemoryGateway()) as client:
        answer = await client.get(path)
    assert answer.status_code in {404, 422}
    assert b"import" not in answer.content


async def test_a_person_sees_an_error_as_a_page_and_a_program_as_a_problem() -> None:
    async with outsider(MemoryGateway()) as client:
        page = await client.get("/no-such-page", headers=BROWSER)
        data = await client.get("/no-such-page")
        api = await client.get("/api/v1/projects", headers=BROWSER)
    assert page.status_code == data.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    assert "There is no page at this address." in page.text
    assert "openapi" not in page.text
    assert data.headers["content-type"] == "application/problem+json"
    assert api.headers["content-type"] == "application/problem+json"
