"""A projection runner on a log in memory and a real database, as a service runs it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from windlass_contracts.subjects import Service
from windlass_eventlog.background import background
from windlass_eventlog.folding import AnyProjection
from windlass_eventlog.log import EventLog
from windlass_eventlog.memory import MemoryKeyValue
from windlass_eventlog.postgres.database import Database
from windlass_eventlog.postgres.layout import Layout
from windlass_eventlog.postgres.projection_runner import ProjectionRunner
from windlass_eventlog.postgres.row_cache import RowCache
from windlass_eventlog.postgres.rows import PostgresRows
from windlass_eventlog.progress import Progress
from windlass_eventlog.quarantine import Quarantine, quarantine_key


@dataclass(frozen=True)
class RunningRows:
    """The gateway's rows, and the bucket in which an operator lets events be passed over."""

    log: EventLog
    own: Database
    projections: Sequence[AnyProjection]
    bucket: MemoryKeyValue = field(default_factory=MemoryKeyValue)

    @property
    def layout(self) -> Layout:
        return Layout.of(Service.GATEWAY, self.projections)

    async def quarantine(self, sequence: int) -> None:
        await self.bucket.create(quarantine_key(Service.GATEWAY, sequence), b"{}")

    async def prepared(self) -> ProjectionRunner:
        quarantine = await Quarantine.opened(self.bucket, Service.GATEWAY)
        runner = ProjectionRunner(self.log, self.own, self.layout, Progress(), RowCache(), quarantine)
        await runner.prepare()
        return runner

    @asynccontextmanager
    async def runner(self) -> AsyncIterator[ProjectionRunner]:
        """Run one more process of the service."""
        runner = await self.prepared()
        async with background(runner.quarantine.follow(), runner.run()):
            yield runner

    @asynccontextmanager
    async def running(self) -> AsyncIterator[PostgresRows]:
        async with self.runner() as runner:
            yield rows_of(runner)


def rows_of(runner: ProjectionRunner) -> PostgresRows:
    return PostgresRows(runner.database, runner.layout, runner.progress, runner.cache)
