"""What lies at the root of a source's archive and in its folders, read without unpacking anything."""

import asyncio
import tarfile
from pathlib import Path

from windlass_builder.domain.detection import TELLING_FILES, Listing

_MOST_TEXT = 256 * 1024
_MOST_NAMES = 50_000


async def list_root(archive: Path) -> Listing:
    """Return the names in a tar, at its root and one folder below, and the texts of the files that tell."""
    return await asyncio.to_thread(_list_root, archive)


def _list_root(archive: Path) -> Listing:
    names: set[str] = set()
    texts: dict[str, str] = {}
    with tarfile.open(archive, "r:") as tar:
        for member in tar:
            name = member.name.removeprefix("./").rstrip("/")
            if not name or name.count("/") > 1 or len(names) >= _MOST_NAMES:
                continue
            names.add(name)
            if name in TELLING_FILES and member.isreg():
                content = tar.extractfile(member)
                texts[name] = "" if content is None else content.read(_MOST_TEXT).decode(errors="replace")
    return Listing(frozenset(names), texts)
