"""The source's tar as the engine must get it: below the app's folder, and everything belonging to the app's user."""

import tarfile
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import IO

from windlass_builder.adapters.docker.hardening import APP_FOLDER, APP_USER
from windlass_builder.adapters.tar import readable_tar, require_writable


def owned_by_app(
    source: Path, prepared: IO[bytes], folders: Iterable[str] = (), only: Collection[str] | None = None
) -> None:
    """Write to `prepared` what is in `source`, below /app and owned by the app's user, and the empty `folders` too.

    With `only` no more of the source than these regular files.

    Raises: BuildSourceError, where it is no tar; BuildPathTooLongError.
    """
    with readable_tar(source) as files, tarfile.open(fileobj=prepared, mode="w") as result:
        for folder in (APP_FOLDER, *folders):
            entry = tarfile.TarInfo(folder.strip("/"))
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            result.addfile(_owned(entry))
        for entry in files:
            if only is not None and not (entry.isreg() and entry.name.removeprefix("./") in only):
                continue
            require_writable(entry)
            content = files.extractfile(entry) if entry.isreg() else None
            entry.name = f"{APP_FOLDER.strip('/')}/{entry.name}"
            if entry.islnk():
                entry.linkname = f"{APP_FOLDER.strip('/')}/{entry.linkname}"
            result.addfile(_owned(entry), content)
    prepared.seek(0)


def _owned(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = APP_USER
    entry.uname = entry.gname = ""
    return entry
