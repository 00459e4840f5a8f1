"""One browser and one dashboard for all tests of pages; each test opens a window of its own."""

from collections.abc import Iterator, Mapping
from uuid import UUID

import pytest
from playwright.sync_api import Browser

from support.dashboard import Dashboard, running_dashboard
from support.dashboard_pages import chromium
from support.harbour import harbour
from support.postgres import PostgresServer


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def dashboard(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """Yield a dashboard with nothing in it but what the module's tests tell."""
    with running_dashboard(tmp_path_factory.mktemp("dashboard"), postgres_server) as running:
        yield running


@pytest.fixture(scope="module")
def told(dashboard: Dashboard) -> Mapping[str, UUID]:
    """Tell of a team with everything that a page can show."""
    return dashboard.run(harbour(dashboard.story()))
