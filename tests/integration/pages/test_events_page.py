"""The page of events: the log in words, filtered, page by page, each event with its link and all that it says."""

import re
from collections.abc import Sequence

import pytest

from support.dashboard_story import DashboardStory
from support.harbour import harbour
from support.memory_gateway import MemoryGateway
from windlass_contracts.event import published_events
from windlass_gateway.application import looking_back
from windlass_gateway.entrypoints.pages.event_words import _SENTENCES

NUMBER = re.compile(r'id="e(\d+)"')


def numbers(page: str) -> Sequence[int]:
    return [int(found) for found in NUMBER.findall(page)]


@pytest.fixture
async def gateway() -> MemoryGateway:
    told = MemoryGateway()
    caller = told.sessions.members.caller(told.owner, told.team)
    assert caller is not None
    await harbour(DashboardStory(told.gateway, caller))
    return told


async def test_the_latest_events_come_first_in_words_and_as_they_stand_in_the_log(gateway: MemoryGateway) -> None:
    async with gateway.browser() as client:
        page = (await client.get("/events")).text
    head = gateway.log.length
    assert numbers(page) == list(range(head, head - 50, -1))
    for text in ("took it on node-1, attempt 1", "ended it as failed at the stage build", "&#34;sequence&#34;: "):
        assert text in page
    assert f"/live/events?after={await gateway.hub.epoch()}-{head}" in page


async def test_what_moved_is_shown_from_where_to_where(gateway: MemoryGateway) -> None:
    async with gateway.browser() as client:
        page = (await client.get("/events", params={"project": "shop", "type": "aliases.changed"})).text
    assert "moved addresses" in page
    assert "arrow-right" in page


async def test_older_events_are_read_page_by_page_to_the_very_first(gateway: MemoryGateway) -> None:
    seen: list[int] = []
    path = "/events"
    async with gateway.browser() as client:
        while path:
            page = (await client.get(path)).text
            seen += numbers(page)
            older = re.search(r'href="(/events\?[^"]*)" rel="next"', page)
            path = "" if older is None else older[1].replace("&amp;", "&")
    assert seen == list(range(gateway.log.length, 0, -1))


async def test_a_filter_holds_on_every_page_and_on_what_comes(gateway: MemoryGateway) -> None:
    async with gateway.browser() as client:
        page = (await client.get("/events", params={"project": "docs"})).text
    assert 0 < len(numbers(page)) < 20
    assert "/live/events?project=docs&amp;after=" in page.replace("&amp;after", "&amp;after")


async def test_a_rare_event_far_back_is_looked_for_in_bounded_stretches(
    gateway: MemoryGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking_back, "STRETCH", 5)
    monkeypatch.setattr(looking_back, "MOST_STRETCHES", 2)
    async with gateway.browser() as client:
        page = (await client.get("/events", params={"project": "docs"})).text
    assert numbers(page) == []
    assert "the log was read back to number" in page
    assert 'rel="next"' in page


@pytest.mark.parametrize("query", [{"type": "nonsense"}, {"project": "none"}, {"before": "0"}, {"before": "x"}])
async def test_a_filter_that_fits_nothing_is_refused(gateway: MemoryGateway, query: dict[str, str]) -> None:
    async with gateway.browser() as client:
        assert (await client.get("/events", params=query)).status_code in {404, 422}


async def test_a_page_behind_the_end_of_the_log_shows_its_end(gateway: MemoryGateway) -> None:
    async with gateway.browser() as client:
        page = (await client.get("/events", params={"before": 10**9})).text
    assert numbers(page)[0] == gateway.log.length


def test_every_event_has_words() -> None:
    assert set(_SENTENCES) == set(published_events().values())
