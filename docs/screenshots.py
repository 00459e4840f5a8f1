# ruff: noqa: INP001 - a script beside what it makes, no package
"""Takes the dashboard's pictures for the documentation: `make screenshots`."""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from playwright.sync_api import ViewportSize

from support.dashboard import running_dashboard
from support.dashboard_pages import Place, chromium, look_at, window
from support.harbour import harbour

IMAGES = Path(__file__).parent / "images"
SIZE: ViewportSize = {"width": 1100, "height": 700}
SHOWN = (
    ("projects-light", Place("/"), "light"),
    ("projects-dark", Place("/"), "dark"),
    ("project-light", Place("/projects/shop"), "light"),
    ("deployment-dark", Place("/deployments/{shop-live}?source=build-1"), "dark"),
    ("deployment-failed-light", Place("/deployments/{api-failed}"), "light"),
    ("new-project-light", Place("/new/{found}"), "light"),
)


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        running_dashboard(Path(folder)) as dashboard,
        chromium() as browser,
    ):
        told = dashboard.run(harbour(dashboard.story()))
        for name, place, scheme in SHOWN:
            with window(browser, dashboard, scheme=scheme) as context:
                look = look_at(context, dashboard, place, told)
                look.page.locator("#connection:not([hidden])").or_(look.page.locator("#main")).first.wait_for()
                look.page.set_viewport_size(SIZE)
                look.page.screenshot(path=IMAGES / f"{name}.png")


if __name__ == "__main__":
    main()
