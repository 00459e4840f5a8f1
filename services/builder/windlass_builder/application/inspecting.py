"""Looking into repositories on request: what they hold, and how they would be deployed. Nothing of them is run."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from time import monotonic

from windlass_builder.application.failures import inspection_failure
from windlass_builder.application.projections import INSPECTIONS
from windlass_builder.application.source import (
    RepositoryHeads,
    SourceError,
    SourceFetcher,
    SourceLocation,
    SourceTimedOutError,
)
from windlass_builder.application.workspace import workspace
from windlass_builder.domain.detection import Listing, NothingToStartError, detect
from windlass_builder.domain.inspection import EXPIRES_AFTER, Inspection, first_heads
from windlass_contracts.config import Deadlines, DeploymentConfig
from windlass_contracts.event import Event
from windlass_contracts.events import InspectionFailed, SourceInspected
from windlass_contracts.events.deployment import GitSource
from windlass_eventlog.appender import Appender
from windlass_eventlog.clock import Clock
from windlass_eventlog.projection import Rows
from windlass_eventlog.reactor import WakeUp

_MOST_WAITING = 50
"""Waiting requests hold up those for deployments; whoever asks when so many wait is told to come again."""


@dataclass(slots=True)
class Inspecting:
    """Answers each request once; `slots` bounds how many repositories are fetched at once, beside the builds."""

    append: Appender
    rows: Rows
    sources: SourceFetcher
    list_root: Callable[[Path], Awaitable[Listing]]
    scratch: Path
    slots: asyncio.Semaphore
    clock: Clock
    images: bool = True
    """Whether this builder builds what a Dockerfile describes."""
    limit: timedelta = timedelta(seconds=Deadlines().fetch_s)
    _waiting: int = field(default=0)

    async def handle(self, wake: WakeUp) -> None:
        """Answer a request that nobody answered yet."""
        found = await self.rows.get(INSPECTIONS, wake.recorded.key.id)
        if found is None or found.row.answered:
            return
        answer = await self._answer(found.row)
        await self.append.caused(wake.recorded, wake.recorded.key, answer, found.sequence)

    async def _answer(self, asked: Inspection) -> Event:
        if self._waiting >= _MOST_WAITING:
            return InspectionFailed(code="busy", reason="Too many repositories are being looked into; try again soon.")
        self._waiting += 1
        try:
            async with self.slots:
                return await self._looked_into(asked)
        finally:
            self._waiting -= 1

    async def _looked_into(self, asked: Inspection) -> Event:
        if asked.expired(self.clock()):
            minutes = EXPIRES_AFTER // timedelta(minutes=1)
            reason = f"The builder was away for more than {minutes} minutes when it read this; ask again."
            return InspectionFailed(code="expired", reason=reason)
        try:
            async with asyncio.timeout(self.limit.total_seconds()):
                return await self._inspected(asked)
        except TimeoutError:
            return inspection_failure(SourceTimedOutError(asked.source.repository, self.limit))
        except SourceError as error:
            return inspection_failure(error)

    async def _inspected(self, asked: Inspection) -> SourceInspected:
        began = monotonic()
        url = asked.source.repository
        heads = await self.sources.heads(url)
        commit = await self._commit(asked.source, heads)
        with workspace(self.scratch) as folder:
            archive = folder / "source.tar"
            await self.sources.fetch(SourceLocation(url, asked.root or "."), commit, archive)
            listing = await self.list_root(archive)
        recipe, missing = None, None
        try:
            recipe = await asyncio.to_thread(detect, DeploymentConfig(root=asked.root), listing, images=self.images)
        except NothingToStartError as error:
            missing = str(error)
        return SourceInspected(
            commit=commit,
            branch=_branch(asked.source, heads),
            recipe=recipe,
            missing=missing,
            branches=first_heads(heads.branches),
            tags=first_heads(heads.tags),
            duration_ms=round((monotonic() - began) * 1_000),
        )

    async def _commit(self, source: GitSource, heads: RepositoryHeads) -> str:
        if source.commit is not None:
            return source.commit
        ref = source.ref or heads.default_branch or "HEAD"
        known = heads.branches.get(ref) or heads.tags.get(ref)
        return known or await self.sources.resolve(source.repository, ref)


def _branch(source: GitSource, heads: RepositoryHeads) -> str | None:
    asked = (source.ref or "").removeprefix("refs/heads/")
    return asked if asked in heads.branches else heads.default_branch
