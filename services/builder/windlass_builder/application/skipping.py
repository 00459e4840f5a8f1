"""Pushes that change nothing which their project deploys for end before anything is built."""

import asyncio
from dataclasses import dataclass

from windlass_builder.application.access import Access
from windlass_builder.application.projections import DEPLOYMENTS, ROUTES
from windlass_builder.application.source import SourceError, SourceFetcher
from windlass_builder.domain.changes import PUSHED, deploys_for, has_rules, why_unchanged
from windlass_builder.domain.deployment import Deployment
from windlass_contracts.events import DeploymentCanceled
from windlass_contracts.events.deployment import GitSource
from windlass_eventlog.projection import Rows


class UnchangedError(Exception):
    """The push changes no path that the project deploys for. The message is a sentence."""

    def event(self) -> DeploymentCanceled:
        """Return what the log is told."""
        return DeploymentCanceled(code="unchanged", reason=str(self)[:1_000])


@dataclass(frozen=True, slots=True)
class Skipping:
    """Compares commits with what environments answer with. Where they cannot be compared, the push deploys."""

    rows: Rows
    sources: SourceFetcher

    async def check(self, row: Deployment, source: GitSource, commit: str, access: Access) -> None:
        """Look whether the deployment is a push that is to be skipped; one that a builder took before is not.

        Raises: UnchangedError.
        """
        if row.trigger != PUSHED or row.attempt or not has_rules(row.config):
            return
        before = await self._answering(row, source)
        if before is None:
            return
        try:
            changed = await self.sources.changed(source.repository, before, commit, access)
            deploys = changed is None or await asyncio.to_thread(deploys_for, row.config, changed)
        except (SourceError, ValueError):
            return
        if changed is not None and not deploys:
            raise UnchangedError(why_unchanged(changed, before))

    async def _answering(self, row: Deployment, source: GitSource) -> str | None:
        """Return the commit of the same repository that the environment answers with."""
        routes = await self.rows.get(ROUTES, row.project)
        identity = None if routes is None else routes.row.environments.get(row.environment)
        found = None if identity is None else await self.rows.get(DEPLOYMENTS, identity)
        if found is None or not isinstance(found.row.source, GitSource):
            return None
        return found.row.commit if found.row.source.repository == source.repository else None
