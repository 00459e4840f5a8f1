"""People read what a clean-up did, and of words that this release does not know, the words."""

import pytest

from windlass_contracts.events import ReleaseRetired, StorageReclaimed
from windlass_gateway.entrypoints.pages.storage_words import reclaimed, retired


@pytest.mark.parametrize(
    ("kind", "why", "freed", "said"),
    [
        (
            "release",
            "retention",
            3 * 2**20,
            "deleted a release from one, 3.0 MiB at most: it is older than what the project keeps",
        ),
        ("cache", "unreferenced", None, "deleted the cache of its builds from one: nothing needs it any more"),
        ("crate", "tidiness", 0, "deleted something of the kind crate from one, 0.0 MiB at most: tidiness"),
    ],
)
def test_what_went_is_said_in_words(kind: str, why: str, freed: int | None, said: str) -> None:
    assert reclaimed(StorageReclaimed(node="one", kind=kind, name="x", why=why, freed_bytes=freed)) == said


def test_a_retirement_says_why() -> None:
    event = ReleaseRetired(release="shop:1", node="one", why="disk-full")
    assert retired(event) == "retired a release on one: the disk was running full"
