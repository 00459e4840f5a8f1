"""A source's archive is looked at without unpacking it."""

import tarfile
from pathlib import Path

import pytest

from support.apps import source
from windlass_builder.adapters import archive
from windlass_builder.adapters.archive import list_root


async def test_names_reach_one_folder_below_the_root_and_only_telling_files_are_read(tmp_path: Path) -> None:
    files = {"package.json": "{}", "public/index.html": "<p>", "a/b/c.py": "", "app/main.py": "app = 1", "notes": "x"}
    listing = await list_root(source(tmp_path, files))
    assert {"package.json", "public/index.html", "app/main.py", "notes"} <= listing.names
    assert "a/b/c.py" not in listing.names
    assert listing.texts == {"package.json": "{}", "app/main.py": "app = 1"}


async def test_huge_source_is_listed_in_part_and_huge_texts_are_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "_MOST_NAMES", 10)
    listing = await list_root(
        source(tmp_path, {"Procfile": "x" * 10**6} | {f"file-{number}": "" for number in range(99)})
    )
    assert len(listing.names) == 10
    assert len(listing.texts["Procfile"]) == 256 * 1024


async def test_names_at_the_root_are_listed_however_many_lie_in_folders_before_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "_MOST_NAMES", 10)
    listing = await list_root(source(tmp_path, {f"data/{number}": "" for number in range(99)} | {"server.py": ""}))
    assert "server.py" in listing.names


async def test_link_in_place_of_a_telling_file_is_not_followed(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "source.tar", "w") as tar:
        link = tarfile.TarInfo("package.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    listing = await list_root(tmp_path / "source.tar")
    assert listing.names == {"package.json"}
    assert listing.texts == {}
