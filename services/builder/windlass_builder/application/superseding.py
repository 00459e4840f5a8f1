"""The latest request wins: what an earlier one for the same environment and branch still does is ended at once."""

from dataclasses import dataclass

from windlass_builder.application.journal import Journal
from windlass_builder.application.projections import DEPLOYMENTS, ROUTES
from windlass_builder.domain.queue import outdated
from windlass_contracts.events import DeploymentSuperseded
from windlass_contracts.holds import Holds
from windlass_contracts.ids import DeploymentId
from windlass_eventlog.appender import Appender
from windlass_eventlog.projection import Rows
from windlass_eventlog.reactor import WakeUp


@dataclass(frozen=True, slots=True)
class Superseding:
    append: Appender
    rows: Rows

    async def handle(self, wake: WakeUp) -> None:
        """End the earlier ones, up to their cutover; what works on them hears of it by their rows."""
        found = await self.rows.find(DEPLOYMENTS, {"pending": True, "project": wake.recorded.project})
        rows = {one.key: one for one in found}
        routes = await self.rows.get(ROUTES, wake.recorded.project)
        holds = Holds() if routes is None else routes.row.holds
        later = outdated({key: one.row for key, one in rows.items()}, DeploymentId(wake.recorded.key.id), holds)
        for earlier, by in later.items():
            journal = Journal.of(self.append, rows[earlier], wake.recorded)
            await journal.add(DeploymentSuperseded(by=by), str(earlier))
