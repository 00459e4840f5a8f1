"""Archives that somebody uploaded: good ones are written anew, hostile ones are refused, and nothing is left."""

import hashlib
import io
import tarfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from windlass_builder.adapters import uploads
from windlass_builder.adapters.uploads import StoredUploads
from windlass_builder.application.source import RootNotFoundError, SourceError, SourceTooLargeError
from windlass_builder.application.uploads import BadArchiveError, UploadDamagedError, UploadGoneError
from windlass_builder.domain.archives import check_link, clean_path
from windlass_contracts.events.deployment import UploadSource
from windlass_eventlog.memory import MemoryObjects

KEY = "uploads/one"


async def once(content: bytes) -> AsyncIterator[bytes]:
    yield content


def entry(name: str, content: bytes = b"", **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    for field, value in fields.items():
        setattr(member, field, value)
    return member, content


def packed(*entries: tuple[tarfile.TarInfo, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for member, content in entries:
            tar.addfile(member, io.BytesIO(content))
    return zstandard.ZstdCompressor().compress(file.getvalue())


async def fetched(folder: Path, content: bytes, root: str = ".") -> dict[str, tarfile.TarInfo]:
    objects = MemoryObjects()
    await objects.put(KEY, once(content))
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    archive = folder / "source.tar"
    await StoredUploads(objects).fetch(UploadSource(key=KEY, digest=digest, size_bytes=len(content)), root, archive)
    with tarfile.open(archive) as tar:
        return {member.name: member for member in tar}


def left(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


async def test_files_folders_and_links_inside_arrive_without_owners_and_times(tmp_path: Path) -> None:
    found = await fetched(
        tmp_path,
        packed(
            entry("./"),
            entry("./app", type=tarfile.DIRTYPE),
            entry("app/main.py", b"print()", mode=0o4755, uid=1000, mtime=9, uname="me"),
            entry("app/link", type=tarfile.SYMTYPE, linkname="../app/main.py"),
            entry("ünicode name.txt", b"x", mode=0o600),
        ),
    )
    assert sorted(found) == ["app", "app/link", "app/main.py", "ünicode name.txt"]
    main = found["app/main.py"]
    assert (main.mode, main.uid, main.mtime, main.uname) == (0o755, 0, 0, "")
    assert (found["app/link"].linkname, found["ünicode name.txt"].mode) == ("../app/main.py", 0o644)
    assert left(tmp_path) == ["source.tar"]


async def test_the_root_folder_is_the_root_of_the_archive(tmp_path: Path) -> None:
    content = packed(entry("apps/web/main.py", b"x"), entry("apps/webber/other.py", b"y"))
    assert list(await fetched(tmp_path, content, "apps/web")) == ["main.py"]
    with pytest.raises(RootNotFoundError):
        await fetched(tmp_path, content, "apps/none")


HOSTILE = {
    "up": entry("../evil", b"x"),
    "up inside": entry("a/../../evil", b"x"),
    "absolute": entry("/etc/passwd", b"x"),
    "device": entry("null", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
    "block device": entry("sda", type=tarfile.BLKTYPE),
    "pipe": entry("pipe", type=tarfile.FIFOTYPE),
    "hard link": entry("hard", type=tarfile.LNKTYPE, linkname="/etc/passwd"),
    "link out": entry("link", type=tarfile.SYMTYPE, linkname="../../etc/passwd"),
    "absolute link": entry("link", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
    "link down and up": entry("link", type=tarfile.SYMTYPE, linkname="a/../.."),
    "git": entry(".git/hooks/post-checkout", b"x"),
    "control characters": entry("a\nb", b"x"),
    "odd encoding": entry("caf\udce9", b"x"),
    "long": entry("x" * 300, b"x"),
    "deep": entry("/".join("d" * 20 for _ in range(80)), b"x"),
}


@pytest.mark.parametrize("what", HOSTILE)
async def test_what_leads_out_or_is_no_file_is_refused_and_leaves_nothing(tmp_path: Path, what: str) -> None:
    with pytest.raises(BadArchiveError, match="windlass deploy"):
        await fetched(tmp_path, packed(entry("fine", b"x"), HOSTILE[what]))
    assert not left(tmp_path)


async def test_nothing_is_written_through_a_link_or_twice(tmp_path: Path) -> None:
    link = entry("dir", type=tarfile.SYMTYPE, linkname="other")
    for second in (entry("dir/file", b"x"), entry("dir", b"x")):
        with pytest.raises(BadArchiveError):
            await fetched(tmp_path, packed(link, second))


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x28\xb5\x2f\xfd", packed(entry("a", b"x" * 5_000))[:-40]])
async def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(BadArchiveError):
        await fetched(tmp_path, content)


async def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_BYTES", 2**20)
    monkeypatch.setattr(uploads, "MOST_MEMBERS", 10)
    bombs: tuple[Callable[[], bytes], ...] = (
        lambda: packed(entry("zeros", bytes(2**21))),
        lambda: packed(*(entry(f"{number}") for number in range(11))),
    )
    for bomb in bombs:
        with pytest.raises(SourceTooLargeError):
            await fetched(tmp_path, bomb())
    assert not left(tmp_path)


async def test_what_is_gone_or_not_what_was_named_says_so(tmp_path: Path) -> None:
    objects = MemoryObjects()
    source = UploadSource(key=KEY, digest=f"sha256:{'0' * 64}", size_bytes=3)
    with pytest.raises(UploadGoneError):
        await StoredUploads(objects).fetch(source, ".", tmp_path / "source.tar")
    for content in (b"abc", b"ab", b"abcd"):
        await objects.put(KEY, once(content))
        with pytest.raises(UploadDamagedError):
            await StoredUploads(objects).fetch(source, ".", tmp_path / "source.tar")
    assert not left(tmp_path)


@given(st.text(st.sampled_from("ab./\\ \n\x00é"), max_size=12))
def test_a_clean_path_stays_below(written: str) -> None:
    try:
        path = clean_path(written)
    except ValueError:
        return
    assert path is None or not ({"", ".", ".."} & set(path.split("/")))


@given(st.text(st.sampled_from("ab./"), min_size=1, max_size=8), st.text(st.sampled_from("ab./"), max_size=12))
def test_a_link_that_is_let_through_leads_inside(written: str, target: str) -> None:
    try:
        path = clean_path(written)
        check_link(path or "x", target)
    except ValueError:
        return
    steps = [*(path or "x").split("/")[:-1], *target.split("/")]
    depth = 0
    for step in steps:
        depth += {"..": -1, ".": 0, "": 0}.get(step, 1)
        assert depth >= 0


def test_every_error_of_uploads_is_one_of_sources() -> None:
    assert issubclass(UploadGoneError, SourceError)
