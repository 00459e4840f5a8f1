"""What a folder weighs is told whatever its owner does to it meanwhile."""

import os
from pathlib import Path

import pytest

from windlass_builder.adapters.disk_use import occupied, size


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inner").mkdir()
    (tmp_path / "one").write_bytes(bytes(5_000))
    (tmp_path / "inner" / "two").write_bytes(bytes(20))
    return tmp_path


def test_all_files_count(folder: Path) -> None:
    assert size(folder) == 5_020
    assert occupied(folder) % 512 == 0
    assert size(folder / "none") == occupied(folder / "none") == 0


def test_a_sparse_file_weighs_what_it_takes(folder: Path) -> None:
    before = occupied(folder)
    with (folder / "sparse").open("wb") as file:
        file.truncate(2**30)
    assert size(folder) == 2**30 + 5_020
    assert occupied(folder) - before < 2**20


@pytest.mark.parametrize("error", [FileNotFoundError, NotADirectoryError, PermissionError, OSError])
def test_what_goes_or_hides_while_it_is_measured_is_left_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: type[OSError]
) -> None:
    look = os.lstat

    def looked(path: str) -> os.stat_result:
        if str(path).endswith("one"):
            raise error(path)
        return look(path)

    monkeypatch.setattr(os, "lstat", looked)
    assert size(folder) == 20


def test_files_too_deep_to_be_named_are_left_out(folder: Path) -> None:
    here = os.open(folder, os.O_RDONLY)
    name = "d" * 250
    for _ in range(18):
        os.mkdir(name, dir_fd=here)
        here, above = os.open(name, os.O_RDONLY, dir_fd=here), here
        os.close(above)
    os.close(os.open("deep", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)
    assert size(folder) == 5_020
