"""Every page, narrow and wide, light and dark: readable for everybody, and nothing that the policy refuses."""

from collections.abc import Mapping
from uuid import UUID

import pytest
from playwright.sync_api import Browser

from support.dashboard import Dashboard
from support.dashboard_pages import PLACES, SCHEMES, WIDTHS, Place, look_at, window
from support.dashboard_story import DashboardStory
from windlass_contracts.ids import DeploymentId
from windlass_gateway.application.configuring import Configuring

MOST_REQUESTS = 10
MOST_NODES = 1_500


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_a_page_is_accessible_self_contained_and_fits_every_window(
    browser: Browser, dashboard: Dashboard, told: Mapping[str, UUID], place: Place
) -> None:
    with window(browser, dashboard, signed_in=place.signed_in) as context:
        look = look_at(context, dashboard, place, told)
        assert look.status == place.status
        assert [url for url in look.requests if not url.startswith((dashboard.url, "data:"))] == []
        assert len(look.requests) <= MOST_REQUESTS
        assert look.nodes <= MOST_NODES
        for scheme in SCHEMES:
            for width in WIDTHS:
                look.show(width, scheme)
                assert look.violations() == [], f"{scheme}, {width} px"
        for width in (320, *WIDTHS, 2_000):
            look.show(width, "light")
            assert look.overflow <= 0, f"{width} px"
        look.note()
        assert look.refused == []
        assert look.broken == []


@pytest.mark.parametrize("path", ["/", "/projects/long", "/projects/long/settings", "/deployments/{long}", "/events"])
def test_names_without_a_space_make_no_page_wider(browser: Browser, dashboard: Dashboard, path: str) -> None:
    deployment = dashboard.run(long_names(dashboard.story()))
    with window(browser, dashboard) as context:
        look = look_at(context, dashboard, Place(path), {"long": deployment})
        for width in WIDTHS:
            look.show(width, "light")
            assert look.overflow <= 0, f"{width} px"


async def long_names(story: DashboardStory) -> DeploymentId:
    """Tell of a project with names as long as they may be."""
    deployment = await story.deploy("long", "b" * 240, subject="S" * 200, author="N" * 100)
    await Configuring(story.gateway).branches(story.caller, "long", "staging", ["p" * 200])
    await story.settled()
    return deployment
