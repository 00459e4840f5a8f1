"""The first step of a build: the source, as it was asked for, as an archive on this node."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from windlass_builder.application.access import OpeningAccess
from windlass_builder.application.build_log import BuildLog
from windlass_builder.application.failures import UnsupportedSourceError
from windlass_builder.application.journal import Journal
from windlass_builder.application.skipping import Skipping, UnchangedError
from windlass_builder.application.source import GitFailedError, SourceFetcher, SourceLocation, SourceTimedOutError
from windlass_builder.application.uploads import UploadFetcher
from windlass_builder.domain.deployment import Deployment
from windlass_contracts.events import BuildStarted
from windlass_contracts.events.deployment import GitSource, ImageSource, UploadSource


@dataclass(frozen=True, slots=True)
class Fetching:
    """Fetches for the builds of one node."""

    sources: SourceFetcher
    uploads: UploadFetcher
    opening: OpeningAccess
    skipping: Skipping
    node: str

    async def fetch(self, journal: Journal, row: Deployment, told: BuildLog, archive: Path) -> str:
        """Write the deployment's source to `archive`, and return its revision: what names it for ever.

        Raises: SourceError, UnsupportedSourceError, UnchangedError.
        """
        limit = timedelta(seconds=row.config.deadlines.fetch_s)
        try:
            async with asyncio.timeout(limit.total_seconds()):
                match row.source:
                    case GitSource() as source:
                        return await self._fetch(journal, row, source, told, archive)
                    case UploadSource() as source:
                        return await self._take(journal, row, source, told, archive)
                    case ImageSource() as source:
                        attempt = row.attempt + 1
                        await journal.add(BuildStarted(node=self.node, attempt=attempt), str(attempt))
                        return source.digest
                    case _:
                        raise UnsupportedSourceError(row.source.kind)
        except TimeoutError as error:
            what = row.source.repository if isinstance(row.source, GitSource) else "The upload"
            raise SourceTimedOutError(what, limit) from error
        except GitFailedError as error:
            await told.say(error.detail)
            raise

    async def again(self, row: Deployment, archive: Path) -> str:
        """Write the source of a deployment that was built to `archive`, and return its revision.

        Raises: SourceError, UnsupportedSourceError.
        """
        limit = timedelta(seconds=row.config.deadlines.fetch_s)
        try:
            async with asyncio.timeout(limit.total_seconds()):
                match row.source:
                    case GitSource() as source if row.commit is not None:
                        location = SourceLocation(source.repository, row.config.root or ".")
                        await self.sources.fetch(location, row.commit, archive, await self.opening.of(row.project))
                        return row.commit
                    case UploadSource() as source:
                        await self.uploads.fetch(source, row.config.root or ".", archive)
                        return source.digest
                    case ImageSource() as source:
                        return source.digest
                    case _:
                        raise UnsupportedSourceError(row.source.kind)
        except TimeoutError as error:
            what = row.source.repository if isinstance(row.source, GitSource) else "The upload"
            raise SourceTimedOutError(what, limit) from error

    async def _fetch(self, journal: Journal, row: Deployment, source: GitSource, told: BuildLog, archive: Path) -> str:
        """Bring the source here; the commit is fixed before anything is done with it, for all attempts."""
        access = await self.opening.of(row.project)
        commit = row.commit or await self.sources.resolve(source.repository, source.ref or "HEAD", access)
        try:
            await self.skipping.check(row, source, commit, access)
        except UnchangedError as unchanged:
            await told.say(f"Skipped. {unchanged}")
            raise
        await self._begin(journal, row, commit)
        await told.say(f"Fetching commit {commit[:12]} from {source.repository}.")
        location = SourceLocation(source.repository, row.config.root or ".")
        await self.sources.fetch(location, commit, archive, access)
        return commit

    async def _take(
        self, journal: Journal, row: Deployment, source: UploadSource, told: BuildLog, archive: Path
    ) -> str:
        """Bring here what was uploaded."""
        await self._begin(journal, row, None)
        await told.say(f"Fetching the upload {source.digest[:19]}, {source.size_bytes} bytes.")
        await self.uploads.fetch(source, row.config.root or ".", archive)
        return source.digest

    async def _begin(self, journal: Journal, row: Deployment, commit: str | None) -> None:
        attempt = row.attempt + 1
        await journal.add(BuildStarted(node=self.node, attempt=attempt, commit=commit), str(attempt))
