"""The one wiring facility of every service: connected to the log and its own database, caught up, and ready to react.

    async with connected(Service.ROUTER, settings, projections=[ROUTES]) as link, link.operating([Check(...)]):
        await link.caught_up(started)
        async with link.reacting([Reactor(...)]):
            started()
            await asyncio.Event().wait()

NATS and PostgreSQL may restart meanwhile: everything goes on where it was. What cannot go on (a deleted stream or
consumer, a missing permission, a sequence that is gone) ends the block with its error, so that a supervisor starts the
service anew and its log says why.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import structlog

from windlass_contracts.cloudevent import envelope_class
from windlass_contracts.event import published_events
from windlass_contracts.subjects import Service
from windlass_eventlog import failpoints
from windlass_eventlog.appender import Appender
from windlass_eventlog.background import background
from windlass_eventlog.buckets import Bucket
from windlass_eventlog.clock import Clock, utc_now
from windlass_eventlog.dead_letters.letter import DEAD_LETTERS
from windlass_eventlog.errors import HaltedError
from windlass_eventlog.folding import AnyProjection
from windlass_eventlog.frames.jetstream import JetStreamFrames
from windlass_eventlog.jetstream.audit import JetStreamAudit
from windlass_eventlog.jetstream.buckets import JetStreamKeyValue
from windlass_eventlog.jetstream.budget import watch_budget
from windlass_eventlog.jetstream.connection import Connection, connection
from windlass_eventlog.jetstream.log import JetStreamLog
from windlass_eventlog.jetstream.objects import JetStreamObjects
from windlass_eventlog.jetstream.reactors import reacting
from windlass_eventlog.link import Link
from windlass_eventlog.logs.jetstream import JetStreamLogStore
from windlass_eventlog.operations import Answering
from windlass_eventlog.operations.own_rows import OwnRows
from windlass_eventlog.operations.verifying import Check
from windlass_eventlog.postgres.database import database
from windlass_eventlog.postgres.layout import Layout
from windlass_eventlog.postgres.projection_runner import ProjectionRunner
from windlass_eventlog.postgres.records import migrate
from windlass_eventlog.postgres.row_cache import RowCache
from windlass_eventlog.postgres.rows import PostgresRows
from windlass_eventlog.postgres.unsettled import RECORDS as UNSETTLED
from windlass_eventlog.postgres.unsettled import PostgresUnsettled
from windlass_eventlog.progress import Progress
from windlass_eventlog.quarantine import Quarantine
from windlass_eventlog.rights import readable_by
from windlass_eventlog.service_log import configure_log
from windlass_eventlog.settings import CommonSettings
from windlass_eventlog.topology import TERMINAL_SHARE_BYTES, TERMINAL_STREAM, durable_of
from windlass_eventlog.vault import Vault

# Made when this is imported and not at the first event: services that are forked from one parent then share it.
for _kind in published_events().values():
    envelope_class(_kind)


_log = structlog.get_logger(__name__)


@asynccontextmanager
async def connected(
    service: Service, settings: CommonSettings, *, projections: Sequence[AnyProjection], clock: Clock = utc_now
) -> AsyncIterator[Link]:
    """Connect, read the log up to its head, and yield the link; everything is closed when the block ends.

    Where the rows halt on the way, the link is yielded nevertheless: operators can be answered, and nothing else may
    be done before `Link.caught_up` returns.

    Raises:
        NotProvisionedError: a stream, consumer or bucket is missing.
        PermissionDeniedError, GapError: the service cannot work, or cannot go on.
        LogUnavailableError, RowsUnavailableError: NATS or PostgreSQL did not answer at the start.
    """
    configure_log()
    failpoints.switch_on(service)
    async with (
        connection(settings.nats_url.get_secret_value(), service, settings.nats_seed_file) as nats,
        database(settings.database_url.get_secret_value(), service) as own,
    ):
        quarantine = await Quarantine.opened(await JetStreamKeyValue.opened(nats, Bucket.QUARANTINE), service)
        log = JetStreamLog(nats, settings.installation, quarantine)
        head = await log.head()
        layout = Layout.of(service, [*dict.fromkeys((*projections, DEAD_LETTERS))])
        runner = ProjectionRunner(log, own, layout, Progress(), RowCache(), quarantine)
        link = await _linked(service, settings, nats, runner, Appender(log, service, clock), head)
        await migrate(own, UNSETTLED)
        await runner.prepare()
        async with background(nats.failing(), quarantine.follow(), runner.run(), watch_budget(nats)):
            try:
                await runner.progress.reached(head, patience=None)
            except HaltedError as halted:
                _log.error("service.halted", why=str(halted), way_out=halted.way_out)
            else:
                await runner.tidy()
            yield link


async def _linked(
    service: Service,
    settings: CommonSettings,
    nats: Connection,
    runner: ProjectionRunner,
    append: Appender,
    head: int,
) -> Link:
    buckets = {bucket: await JetStreamKeyValue.opened(nats, bucket) for bucket in readable_by(service)}
    nats_url = settings.nats_url.get_secret_value()
    return Link(
        service=service,
        log=runner.log,
        rows=PostgresRows(runner.database, runner.layout, runner.progress, runner.cache),
        append=append,
        objects=await JetStreamObjects.opened(nats),
        logs=JetStreamLogStore(nats),
        terminals=JetStreamLogStore(nats, TERMINAL_STREAM, TERMINAL_SHARE_BYTES),
        frames=JetStreamFrames(nats),
        audit=JetStreamAudit(nats),
        database=runner.database,
        buckets=buckets,
        open_vault=lambda: Vault.opened(buckets[Bucket.SECRETS], settings.secrets_keys_file),
        deliver=partial(reacting, nats, nats_url, durable_of(service)),
        operate=partial(_answering, service, buckets[Bucket.OPERATIONS], append.clock, OwnRows(runner)),
        passed=partial(runner.progress.passed, head),
        unsettled=PostgresUnsettled(runner.database),
        quarantined=runner.quarantine,
    )


def _answering(
    service: Service, bucket: JetStreamKeyValue, clock: Clock, rows: OwnRows, checks: Sequence[Check]
) -> Answering:
    return Answering(service, bucket, rows.operations(checks), clock)
