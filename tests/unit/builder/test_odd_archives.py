"""What no disk takes is refused before anything is unpacked: a repository may hold it, whatever made it."""

import io
import tarfile
from errno import ENOSPC
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass_builder.adapters.docker.archive import owned_by_app
from windlass_builder.adapters.docker.volumes import user_named
from windlass_builder.adapters.tar import readable_tar, unpack
from windlass_builder.application.runtime_errors import BuildPathTooLongError, BuildSourceError


def _tar(folder: Path, name: str, target: str = "") -> Path:
    entry = tarfile.TarInfo(name)
    if target:
        entry.type, entry.linkname = tarfile.SYMTYPE, target
    with tarfile.open(folder / "source.tar", "w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(entry)
    return folder / "source.tar"


@pytest.mark.parametrize(
    ("name", "target"),
    [("n" * 256, ""), ("ü" * 128, ""), ("/".join(["d" * 200] * 20), ""), ("a/link", "t" * 4_001)],
)
def test_names_that_no_disk_takes_are_refused_by_both_runtimes(tmp_path: Path, name: str, target: str) -> None:
    source = _tar(tmp_path, name, target)
    with pytest.raises(BuildPathTooLongError):
        owned_by_app(source, io.BytesIO())
    with pytest.raises(BuildPathTooLongError):
        unpack(source, tmp_path / "unpacked")


@pytest.mark.parametrize("name", ["n" * 255, "\udcff" * 255, "/".join(["d" * 200] * 19)])
def test_all_others_are_unpacked(tmp_path: Path, name: str) -> None:
    source = _tar(tmp_path, name)
    owned_by_app(source, io.BytesIO())
    unpack(source, tmp_path / "unpacked")
    assert list((tmp_path / "unpacked").rglob("*"))


def test_a_link_in_place_of_a_folder_is_no_archive(tmp_path: Path) -> None:
    link = tarfile.TarInfo("a")
    link.type, link.linkname = tarfile.SYMTYPE, "elsewhere"
    with tarfile.open(tmp_path / "source.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("a/file"))
        tar.addfile(link)
    with pytest.raises(BuildSourceError):
        unpack(tmp_path / "source.tar", tmp_path / "unpacked")


def test_a_full_disk_is_no_fault_of_the_source(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left"), readable_tar(_tar(tmp_path, "file")):
        raise OSError(ENOSPC, "No space left on device")


def test_nothing_is_unpacked_once_that_is_stopped(tmp_path: Path) -> None:
    unpack(_tar(tmp_path, "file"), tmp_path / "unpacked", lambda: True)
    assert not list((tmp_path / "unpacked").iterdir())


@given(st.text(max_size=200))
def test_any_list_of_users_names_ids_that_are_numbers(users: str) -> None:
    user, _ = user_named("app", f"{users}\napp:x:abc:7::/:\napp:x:{'9' * 5_000}\napp")
    assert 0 <= int(user) < 10**10


def test_the_list_of_users_says_who_somebody_is() -> None:
    assert user_named("app", "root:x:0:0::/:\napp:x:12:34::/:\n") == ("12", "34")
    assert user_named("app", "app:x:no:34\napp\n") == ("10001", "")
