"""What lies at the root of a source's archive, read without unpacking anything."""

import asyncio
import tarfile
from pathlib import Path

from windlass_builder.domain.detection import TELLING_FILES, Listing

_MOST_TEXT = 256 * 1024


async def list_root(archive: Path) -> Listing:
    """Return the names at the root of a tar, and the texts of the files that tell how it is built and started."""
    return await asyncio.to_thread(_list_root, archive)


def _list_root(archive: Path) -> Listing:
    names: set[str] = set()
    texts: dict[str, str] = {}
    with tarfile.open(archive, "r:") as tar:
        for member in tar:
            name = member.name.removeprefix("./").rstrip("/")
            if not name or "/" in name:
                continue
            names.add(name)
            if name in TELLING_FILES and member.isreg():
                content = tar.extractfile(member)
                texts[name] = "" if content is None else content.read(_MOST_TEXT).decode(errors="replace")
    return Listing(frozenset(names), texts)
