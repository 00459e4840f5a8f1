"""What was uploaded: fetched from the object store, checked, and written anew as a tar without surprises."""

import asyncio
import hashlib
import tarfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import IO
from uuid import UUID

import zstandard

from windlass_builder.application.source import RootNotFoundError, SourceTooLargeError
from windlass_builder.application.source_store import SourceStore
from windlass_builder.application.uploads import BadArchiveError, UploadDamagedError, UploadFetcher, UploadGoneError
from windlass_builder.domain.archives import MOST_BYTES, MOST_MEMBERS, check_link, clean_path
from windlass_builder.domain.belongings import JUST_UPLOADED, SourceKind, StoredSource
from windlass_contracts.events.deployment import Source, UploadSource
from windlass_eventlog.buckets import Objects
from windlass_eventlog.clock import utc_now

_LARGEST_WINDOW = 2**27
_EXECUTABLE = 0o100


class StoredUploads(UploadFetcher, SourceStore):
    """Uploads in the object store."""

    kind = SourceKind.UPLOAD

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def names_of(self, source: Source, project: UUID) -> Collection[str]:  # noqa: ARG002 - the port's signature
        return (source.key,) if isinstance(source, UploadSource) else ()

    async def tidy(self) -> None:
        await self._objects.clear_pieces(utc_now() - JUST_UPLOADED)

    async def all(self) -> Sequence[StoredSource]:
        return [
            StoredSource(SourceKind.UPLOAD, found.key, found.size, found.stored_at)
            async for found in self._objects.all("uploads/")
        ]

    async def remove(self, name: str) -> None:
        await self._objects.delete(name)

    async def fetch(self, source: UploadSource, root: str, archive: Path) -> None:
        packed, draft = archive.with_name(f"{archive.name}.zst"), archive.with_name(f"{archive.name}.part")
        try:
            await self._bring(source, packed)
            await asyncio.to_thread(_rewrite, packed, draft, root.strip("/").removeprefix("./"))
            draft.replace(archive)
        finally:
            packed.unlink(missing_ok=True)
            draft.unlink(missing_ok=True)

    async def _bring(self, source: UploadSource, packed: Path) -> None:
        """Write what is stored to a file, and make sure that it is what the deployment names."""
        digest, size = hashlib.sha256(), 0
        try:
            with packed.open("wb") as file:
                async with aclosing(self._objects.get(source.key)) as pieces:  # type: ignore[type-var]
                    async for piece in pieces:
                        size += len(piece)
                        if size > source.size_bytes:
                            raise UploadDamagedError(source.digest)
                        digest.update(piece)
                        await asyncio.to_thread(file.write, piece)
        except KeyError as error:
            raise UploadGoneError(source.digest) from error
        if size != source.size_bytes or f"sha256:{digest.hexdigest()}" != source.digest:
            raise UploadDamagedError(source.digest)


def _rewrite(packed: Path, draft: Path, root: str) -> None:
    """Write the members under the root anew, each checked, without owners and times.

    Raises: SourceError.
    """
    below = "" if root in {"", "."} else f"{root}/"
    found = not below
    try:
        with packed.open("rb") as file, tarfile.open(draft, "w", format=tarfile.PAX_FORMAT) as target:
            unpacked = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW).stream_reader(file)
            with tarfile.open(fileobj=unpacked, mode="r|") as members:
                for path, member in _checked(members):
                    if path.startswith(below):
                        found = True
                        _add(target, path.removeprefix(below), member, members)
    except (tarfile.TarError, zstandard.ZstdError, EOFError) as error:
        raise BadArchiveError("it is damaged, or no tar that was packed with zstd") from error
    except ValueError as error:
        raise BadArchiveError(str(error)) from error
    if not found:
        raise RootNotFoundError(root, "of the upload")


def _checked(members: tarfile.TarFile) -> Iterator[tuple[str, tarfile.TarInfo]]:
    """Yield the members with clean paths.

    Raises:
        ValueError: one must not be unpacked.
        SourceTooLargeError: there are too many, or they are too large together.
    """
    size, taken = 0, set[str]()
    for number, member in enumerate(members, start=1):
        size += max(member.size, 0)
        if number > MOST_MEMBERS or size > MOST_BYTES:
            raise SourceTooLargeError("The upload")
        path = clean_path(member.name)
        if path is None:
            continue
        above = path.split("/")[:-1]
        if any("/".join(above[: depth + 1]) in taken for depth in range(len(above))) or path in taken:
            raise ValueError(f"{path[:80]!r} is there twice, or lies below what is no folder")
        _check_kind(path, member)
        if not member.isdir():
            taken.add(path)
        yield path, member


def _check_kind(path: str, member: tarfile.TarInfo) -> None:
    if member.issym():
        check_link(path, member.linkname)
    elif not member.isreg() and not member.isdir():
        raise ValueError(f"{path[:80]!r} is neither a file nor a folder nor a symbolic link")


def _add(target: tarfile.TarFile, path: str, member: tarfile.TarInfo, members: tarfile.TarFile) -> None:
    clean = tarfile.TarInfo(path)
    clean.type = member.type if member.issym() or member.isdir() else tarfile.REGTYPE
    clean.mode = 0o755 if member.isdir() or member.mode & _EXECUTABLE else 0o644
    content: IO[bytes] | None = None
    if member.issym():
        clean.linkname = member.linkname
    elif member.isreg():
        clean.size = member.size
        content = members.extractfile(member)
    target.addfile(clean, content)
