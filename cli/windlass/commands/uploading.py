"""Uploading a folder: packed on this disk, sent if it is not there yet, with a bar on a terminal."""

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from windlass.api import Api
from windlass.commands.paths import project_path
from windlass.commands.running import print_line
from windlass.errors import BadInputError, RefusedError
from windlass.packing import Packed, find_files, pack

_NOT_IN_SLUGS = re.compile(r"[^a-z0-9]+")
_LONGEST_SLUG = 40
_NOT_FOUND = 404

Tell = Callable[[str, int, int], None]
"""What is done, and how many of how many bytes of it."""


async def project_for(api: Api, folder: Path) -> str:
    """Return the project that is named after a folder.

    Raises:
        BadInputError: its name is none, or belongs to a project with a repository: that is not overwritten unasked.
    """
    slug = _NOT_IN_SLUGS.sub("-", folder.name.lower()).strip("-")[:_LONGEST_SLUG].strip("-")
    if not slug:
        raise BadInputError(f"The folder {folder} suggests no name for the project.", "Name it: --project NAME.")
    try:
        known = await api.get(project_path(slug))
    except RefusedError as refusal:
        if refusal.status == _NOT_FOUND:
            return slug
        raise
    if known["repository"] is not None:
        raise BadInputError(
            f"The project {slug} is deployed from {known['repository']}, and not from a folder.",
            f"Say `--project {slug}` if you mean it, or another name.",
        )
    return slug


async def uploaded(api: Api, folder: Path, *, silent: bool) -> str:
    """Pack and upload a folder, and return the digest by which a deployment names it.

    Raises:
        CommandError: it cannot be packed, or is not taken.
    """
    with tempfile.TemporaryDirectory(prefix="windlass-") as scratch, _telling(silent=silent) as tell:
        found = find_files(folder)
        packed = pack(found, Path(scratch, "folder.tar.zst"), lambda done, total: tell("Packing", done, total))
        if not await _is_there(api, packed):
            await api.upload(_path(packed), packed.file, packed.size, lambda done: tell("Uploading", done, packed.size))
        if not silent:
            files = f"{len(found.paths)} files" if len(found.paths) != 1 else "1 file"
            print_line(f"Uploaded {folder}: {files}, {packed.size / 2**20:.1f} MiB packed.")
    return packed.digest


async def _is_there(api: Api, packed: Packed) -> bool:
    try:
        await api.get(_path(packed), {"size_bytes": packed.size})
    except RefusedError as refusal:
        if refusal.status == _NOT_FOUND:
            return False
        raise
    return True


def _path(packed: Packed) -> str:
    return f"/uploads/{quote(packed.digest, safe='')}"


@contextmanager
def _telling(*, silent: bool) -> Iterator[Tell]:
    console = Console(highlight=False, stderr=True)
    if silent or not console.is_terminal:
        yield lambda _what, _done, _total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("Packing", total=None)
        yield lambda what, done, total: progress.update(task, description=what, completed=done, total=total)
