"""What lies at the root of a source's archive and in its folders, read without unpacking anything."""

import asyncio
import hashlib
import tarfile
from pathlib import Path
from typing import IO

from windlass_builder.domain.detection import LOCK_FILES, MOST_TEXT, TELLING_FILES, Listing

_MOST_NAMES = 50_000


async def list_root(archive: Path) -> Listing:
    """Return the names in a tar, at its root and one folder below, the texts of the files that tell, and digests."""
    return await asyncio.to_thread(_list_root, archive)


def _list_root(archive: Path) -> Listing:
    root, below = set[str](), set[str]()  # each with room of its own: the root's few names say most
    texts: dict[str, str] = {}
    digests: dict[str, str] = {}
    with tarfile.open(archive, "r:") as tar:
        for member in tar:
            name = member.name.removeprefix("./").rstrip("/")
            names = below if "/" in name else root
            if not name or name.count("/") > 1 or len(names) >= _MOST_NAMES:
                continue
            names.add(name)
            if name in TELLING_FILES and member.isreg():
                content = tar.extractfile(member)
                texts[name] = "" if content is None else content.read(MOST_TEXT).decode(errors="replace")
            if name in LOCK_FILES and (content := _regular(tar, member)) is not None:
                digests[name] = hashlib.file_digest(content, "sha256").hexdigest()  # type: ignore[arg-type] # typeshed
    return Listing(frozenset(root | below), texts, digests)


def _regular(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes] | None:
    return tar.extractfile(member) if member.isreg() else None
