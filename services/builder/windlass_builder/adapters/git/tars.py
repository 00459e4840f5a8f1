"""Tars that Git wrote: put together, and moved to another top."""

import tarfile
from pathlib import Path
from shutil import copyfileobj


def append(target: Path, addition: Path) -> None:
    """Put the members of another tar behind those of the target, byte by byte."""
    with tarfile.open(target, "a:") as tar:
        end = tar.offset
    with target.open("r+b") as file, addition.open("rb") as more:
        file.truncate(end)
        file.seek(end)
        copyfileobj(more, file)


def move_up(archive: Path, root: str) -> None:
    """Leave out what is not below the folder, and the folder itself from what is."""
    below, draft = f"{root}/", archive.with_name(f"{archive.name}.moved")
    try:
        with tarfile.open(archive, "r:") as tar, tarfile.open(draft, "w:", format=tarfile.PAX_FORMAT) as moved:
            for member in tar:
                if not member.name.startswith(below):
                    continue
                content = tar.extractfile(member) if member.isreg() else None
                member.name = member.name.removeprefix(below)
                member.pax_headers = {}
                moved.addfile(member, content)
        draft.replace(archive)
    finally:
        draft.unlink(missing_ok=True)
