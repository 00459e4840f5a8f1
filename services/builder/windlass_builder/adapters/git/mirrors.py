"""The mirrors as they lie on disk: which there are, what they take, and deleted while nobody fetches into them."""

import asyncio
import fcntl
import hashlib
import shutil
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from windlass_builder.adapters.disk_use import size
from windlass_builder.application.source_store import SourceInUseError, SourceStore
from windlass_builder.domain.belongings import SourceKind, StoredSource
from windlass_contracts.events.deployment import GitSource, Source


def mirror_name(url: str, owner: str | None) -> str:
    """Return what the mirror of a repository is called: one for all, or for a project that shows a credential."""
    return hashlib.sha256((url if owner is None else f"{url}\n{owner}").encode()).hexdigest()[:32]


class GitMirrors(SourceStore):
    """The mirrors in `folder`. Its lock, a file that stays, says when each was used last."""

    kind = SourceKind.MIRROR

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names_of(self, source: Source, project: UUID) -> Collection[str]:
        if not isinstance(source, GitSource):
            return ()
        return mirror_name(source.repository, None), mirror_name(source.repository, str(project))

    async def all(self) -> Sequence[StoredSource]:
        return await asyncio.to_thread(self._all)

    async def tidy(self) -> None:
        await asyncio.to_thread(self._tidy)

    async def remove(self, name: str) -> None:
        await asyncio.to_thread(self._remove, name)

    def _tidy(self) -> None:
        for doomed in self._folder.glob(".gone-*"):
            shutil.rmtree(doomed, ignore_errors=True)

    def _all(self) -> list[StoredSource]:
        return [
            StoredSource(SourceKind.MIRROR, folder.stem, size(folder), _used(folder))
            for folder in sorted(self._folder.glob("[!.]*.git"))
        ]

    def _remove(self, name: str) -> None:
        """Delete it: first its name, then its content, so that a crash leaves no half of it under its name."""
        folder, doomed = self._folder / f"{name}.git", self._folder / f".gone-{name}"
        if not folder.exists():
            return
        with folder.with_suffix(".lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise SourceInUseError(name) from error
            shutil.rmtree(doomed, ignore_errors=True)
            folder.rename(doomed)
        shutil.rmtree(doomed)


def _used(folder: Path) -> datetime:
    lock = folder.with_suffix(".lock")
    return datetime.fromtimestamp((lock if lock.exists() else folder).stat().st_mtime, UTC)
