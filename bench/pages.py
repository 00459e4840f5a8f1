"""What the dashboard's pages cost a browser, and who is kept out: every page, light and dark, 375 and 1280 px wide.

The gateway answers by itself, over real NATS and PostgreSQL. Prints one JSON object: p95_ms (of all requests for pages,
from the first byte sent to the last one received, on loopback), static_gzip_kib (all files together), requests and
dom_nodes (of the page that has most), axe_violations and csp_violations (of all pages together).
"""

import gzip
import http.client
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlsplit
from uuid import UUID

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from playwright.sync_api import Browser

from support.dashboard import Dashboard, running_dashboard
from support.dashboard_pages import PLACES, SCHEMES, WIDTHS, Place, chromium, look_at, window
from support.harbour import harbour
from windlass_gateway.entrypoints.pages.assets import assets

QUICK = bool(os.environ.get("QUICK"))
ROUNDS = 10 if QUICK else 50
WARM_ROUNDS = 2
FULLEST = ("/", "/new/{found}", "/projects/shop", "/projects/shop/settings", "/deployments/{shop-live}")
VIEWS = tuple((scheme, width) for scheme in SCHEMES for width in WIDTHS)
IN_A_HURRY = (("light", 1280), ("dark", 375))


def log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def paths(told: Mapping[str, UUID]) -> list[str]:
    """Return the addresses of all pages that answer with 200 to somebody who is signed in, each once."""
    shown = [place.path.format(**told) for place in PLACES if place.status == 200 and place.signed_in]
    return list(dict.fromkeys(shown))


def ask(connection: http.client.HTTPConnection, path: str, headers: Mapping[str, str]) -> float:
    """Return the milliseconds of one page."""
    begun = time.perf_counter()
    connection.request("GET", path, headers=dict(headers))
    answer = connection.getresponse()
    answer.read()
    took = (time.perf_counter() - begun) * 1_000
    assert answer.status == 200, (path, answer.status)
    return took


def times(dashboard: Dashboard, told: Mapping[str, UUID]) -> list[float]:
    """Ask for every page in turn, again and again, over one connection."""
    cookie = dashboard.cookie()
    headers = {"Accept": "text/html", "Cookie": f"{cookie['name']}={cookie['value']}"}
    connection = http.client.HTTPConnection(urlsplit(dashboard.url).netloc, timeout=30)
    measured: list[float] = []
    for number in range(-WARM_ROUNDS, ROUNDS):
        for path in paths(told):
            took = ask(connection, path, headers)
            if number >= 0:
                measured.append(took)
    connection.close()
    return measured


@dataclass(slots=True)
class Seen:
    """What a browser met on all pages."""

    requests: int = 0
    nodes: int = 0
    axe: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def look(self, browser: Browser, dashboard: Dashboard, place: Place, told: Mapping[str, UUID]) -> None:
        with window(browser, dashboard, signed_in=place.signed_in) as context:
            look = look_at(context, dashboard, place, told)
            for scheme, width in IN_A_HURRY if QUICK else VIEWS:
                look.show(width, scheme)
                self.axe += look.violations()
            look.note()
            self.refused += look.refused
            self.requests = max(self.requests, len(look.requests))
            self.nodes = max(self.nodes, look.nodes)
            log(f"{place.name}: {len(look.requests)} requests, {look.nodes} nodes")


def places() -> tuple[Place, ...]:
    """Return what the browser looks at: in a hurry the pages that hold most."""
    return tuple(place for place in PLACES if place.name in FULLEST) if QUICK else PLACES


def static_kib() -> float:
    return sum(len(gzip.compress(asset.plain, 9)) for asset in assets().by_address.values()) / 1024


def main() -> None:
    seen = Seen()
    with tempfile.TemporaryDirectory() as folder, running_dashboard(Path(folder)) as dashboard:
        told = dashboard.run(harbour(dashboard.story()))
        measured = times(dashboard, told)
        log(f"{len(measured)} pages asked for")
        with chromium() as browser:
            for place in places():
                seen.look(browser, dashboard, place, told)
    for line in (*seen.axe, *seen.refused):
        log(line)
    figures = {
        "p95_ms": round(quantiles(measured, n=20)[-1], 1),
        "static_gzip_kib": round(static_kib(), 1),
        "requests": seen.requests,
        "dom_nodes": seen.nodes,
        "axe_violations": len(seen.axe),
        "csp_violations": len(seen.refused),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
