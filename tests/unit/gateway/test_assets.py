"""The built files of the dashboard are what their manifest says, small enough, and made from these sources."""

import gzip
import json
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from windlass_gateway.entrypoints.pages.assets import assets

CHECKOUT = Path(__file__).parents[3]
PACKAGE = CHECKOUT / "services/gateway/windlass_gateway"
STATIC = PACKAGE / "static"
WEB = CHECKOUT / "services/gateway/web"
MANIFEST = json.loads((STATIC / "manifest.json").read_text())
BUDGET_KIB = 120
AGAIN = "run `make assets` and commit what it makes"


def test_every_built_file_is_the_one_that_the_manifest_names_and_no_other_lies_beside_them() -> None:
    listed = {entry["file"]: entry["sha256"] for entry in MANIFEST["files"].values()}
    found = {path.name: sha256(path.read_bytes()).hexdigest() for path in STATIC.iterdir()}
    del found["manifest.json"]
    assert found == listed, AGAIN
    assert all(digest[:10] in name for name, digest in listed.items())


def test_the_built_files_were_made_from_these_sources() -> None:
    paths = [WEB / "build.mjs", WEB / "icons.txt", WEB / "package.json", *(WEB / "src").iterdir()]
    now = {str(path.relative_to(WEB)): sha256(path.read_bytes()).hexdigest() for path in paths}
    assert now == MANIFEST["sources"], AGAIN


def test_all_files_together_stay_within_the_budget() -> None:
    together = sum(len(gzip.compress(asset.plain, 9)) for asset in assets().by_address.values())
    assert together <= BUDGET_KIB * 1024


def _texts() -> Iterator[str]:
    for path in PACKAGE.rglob("*"):
        if path.suffix in {".html", ".py"}:
            yield path.read_text()


def test_the_sprite_holds_only_icons_that_some_page_shows() -> None:
    texts = "\n".join(_texts())
    assert {icon for icon in assets().icons if f'"{icon}"' not in texts and f"'{icon}'" not in texts} == set()


def test_no_file_refers_to_another_host() -> None:
    namespaces = {"http://www.w3.org"}
    for path in STATIC.glob("*.css"):
        assert set(re.findall(r"https?://[\w.]+", path.read_text())) <= namespaces | {"https://tailwindcss.com"}


@pytest.mark.parametrize(
    ("accepts", "encoding"),
    [("gzip, deflate, br, zstd", "zstd"), ("gzip", "gzip"), ("gzip;q=0", None), ("", None), ("identity", None)],
)
def test_a_file_is_answered_in_an_encoding_that_the_browser_accepts(accepts: str, encoding: str | None) -> None:
    style = assets().by_address[MANIFEST["files"]["app.css"]["file"]]
    assert style.accepted(accepts)[0] == encoding


def test_an_icon_that_was_not_built_is_a_mistake_and_not_a_hole_in_the_page() -> None:
    with pytest.raises(LookupError, match=r"web/icons\.txt"):
        assets().icon("no-such-icon")
