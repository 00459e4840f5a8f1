"""Packing a folder: what ignore files leave out, never Git's own, the same bytes each time, and within the limit."""

import os
import tarfile
from pathlib import Path

import pytest
import zstandard

from windlass import packing
from windlass.errors import BadInputError
from windlass.packing import find_files, pack

FILES = {
    "main.py": "print()",
    "docs/a.md": "a",
    "docs/keep.md": "k",
    "secret.env": "s",
    ".git/config": "g",
    "sub/.git/config": "g",
    "node_modules/x/index.js": "n",
    "build/out.bin": "b",
    "sub/.gitignore": "*.log\n",
    "sub/run.log": "l",
    "run.log": "l",
    ".gitignore": "build/\n*.env\n",
    ".dockerignore": "docs/*\n",
    ".windlassignore": "!docs/keep.md\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "app" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "app"


def names(archive: Path) -> list[str]:
    with (
        archive.open("rb") as file,
        tarfile.open(fileobj=zstandard.ZstdDecompressor().stream_reader(file), mode="r|") as tar,
    ):
        return [member.name for member in tar]


def test_ignore_files_are_honoured_and_gits_own_is_never_packed(folder: Path, tmp_path: Path) -> None:
    pack(find_files(folder), tmp_path / "packed", lambda *_: None)
    kept = {"main.py", "docs/keep.md", "run.log", ".gitignore", ".dockerignore", ".windlassignore", "sub/.gitignore"}
    assert set(names(tmp_path / "packed")) == kept


def test_the_same_files_make_the_same_archive_and_how_far_it_is_is_told(folder: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    first = pack(find_files(folder), tmp_path / "one", lambda *far: told.append(far))
    for path in folder.rglob("*"):
        path.touch()
    second = pack(find_files(folder), tmp_path / "two", lambda *_: None)
    assert (first.digest, first.size) == (second.digest, second.size)
    assert first.size == (tmp_path / "one").stat().st_size
    assert told[-1][0] == told[-1][1]


def test_links_and_modes_are_kept(folder: Path, tmp_path: Path) -> None:
    (folder / "link").symlink_to("main.py")
    (folder / "main.py").chmod(0o755)
    pack(find_files(folder), tmp_path / "packed", lambda *_: None)
    with (
        (tmp_path / "packed").open("rb") as file,
        tarfile.open(fileobj=zstandard.ZstdDecompressor().stream_reader(file), mode="r|") as tar,
    ):
        members = {member.name: (member.linkname, member.mode) for member in tar}
    assert members["link"][0] == "main.py"
    assert members["main.py"][1] == 0o755


@pytest.mark.parametrize("pattern", ["[z-a]", "[?-.]"])
def test_a_pattern_that_is_none_is_named_with_its_file(folder: Path, pattern: str) -> None:
    (folder / ".gitignore").write_text(f"{pattern}\n")
    with pytest.raises(BadInputError, match=r"\.gitignore has a pattern that is none"):
        find_files(folder)


def test_a_bracket_in_a_set_is_a_pattern(folder: Path) -> None:
    (folder / ".gitignore").write_text("[[].bin\n")
    (folder / "[.bin").touch()
    assert "[.bin" not in find_files(folder).paths


def test_a_folder_that_cannot_be_read_or_is_too_deep_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = os.open(folder, os.O_RDONLY)
    for _ in range(201):
        os.mkdir("d", dir_fd=here)
        here, above = os.open("d", os.O_RDONLY, dir_fd=here), here
        os.close(above)
    os.close(here)
    with pytest.raises(BadInputError, match="too deep"):
        find_files(folder)

    def unreadable(_folder: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", unreadable)
    with pytest.raises(BadInputError, match="cannot be packed"):
        find_files(folder)


def test_too_much_nothing_and_odd_names_are_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInputError, match="nothing"):
        find_files(tmp_path / "empty")
    monkeypatch.setattr(packing, "MAX_BYTES", 100)
    with pytest.raises(BadInputError, match="larger"):
        pack(find_files(folder), tmp_path / "packed", lambda *_: None)
    monkeypatch.setattr(packing, "MAX_BYTES", 2**20)
    monkeypatch.setattr(packing, "MOST_FILES", 3)
    with pytest.raises(BadInputError, match="files"):
        find_files(folder)
    monkeypatch.setattr(packing, "MOST_FILES", 100)
    (folder / "caf\udce9").write_text("x")
    with pytest.raises(BadInputError, match="UTF-8"):
        pack(find_files(folder), tmp_path / "packed", lambda *_: None)
