"""The gateway, put together."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import uuid4

from windlass_contracts.subjects import Service
from windlass_eventlog.buckets import Bucket
from windlass_eventlog.clock import utc_now
from windlass_eventlog.keys_file import read_keys
from windlass_eventlog.link import Link
from windlass_eventlog.operations import Asking
from windlass_eventlog.postgres.records import migrate
from windlass_eventlog.service import connected
from windlass_gateway.adapters.event_copy import EventCopy
from windlass_gateway.adapters.event_copy_verification import VerifyingCopy
from windlass_gateway.adapters.installation_owner import InstallationOwner
from windlass_gateway.adapters.installation_token import InstallationToken
from windlass_gateway.adapters.records import RECORDS
from windlass_gateway.adapters.sign_in_links import PostgresSignInLinks
from windlass_gateway.application.auditing import Auditing
from windlass_gateway.application.current_rows import CurrentRows
from windlass_gateway.application.deadlines import DeadlineKeeper
from windlass_gateway.application.forgetting import ForgettingCommands
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.application.operating import Operating, Quarantining
from windlass_gateway.application.orphans import OrphanSweeper
from windlass_gateway.application.personal import Person, Personal
from windlass_gateway.application.projections import ALL
from windlass_gateway.application.signing_in import SigningIn
from windlass_gateway.application.tokens import TokenAccess
from windlass_gateway.application.verifying import VerifyingLog
from windlass_gateway.domain.people import owner_id
from windlass_gateway.domain.webhook_keys import WebhookKeys
from windlass_gateway.entrypoints.access.sessions import Sessions
from windlass_gateway.entrypoints.context import Context
from windlass_gateway.entrypoints.live.hub import Hub
from windlass_gateway.entrypoints.pages.rendering import compile_all
from windlass_gateway.entrypoints.places import Places
from windlass_gateway.entrypoints.server import listen, serve_http
from windlass_gateway.entrypoints.web import web
from windlass_gateway.settings import GatewaySettings


async def serve(started: Callable[[], None]) -> None:
    """Run the gateway with the settings of the environment, until cancelled; `started` is called once it answers."""
    settings = GatewaySettings()
    with listen(settings.gateway_port) as listener:
        async with connected(Service.GATEWAY, settings, projections=ALL) as link, _operating(link):
            gateway = _gateway(link)
            await gateway.personal.introduce(owner_id(settings.installation), Person(name="Owner"))
            keeper = DeadlineKeeper(gateway)
            context = _context(gateway, settings, link)
            reactors = [keeper.reactor, ForgettingCommands(gateway).reactor]
            async with link.reacting(reactors), asyncio.TaskGroup() as tasks:
                tasks.create_task(keeper.run())
                tasks.create_task(EventCopy(link.log, link.database).run())
                tasks.create_task(_sweeper(gateway, link).run())
                tasks.create_task(context.hub.run())
                tasks.create_task(gateway.nodes.follow(link.bucket(Bucket.NODES), context.hub.renew))
                tasks.create_task(gateway.uptimes.follow(link.bucket(Bucket.SERIES), context.hub.renew_uptimes))
                tasks.create_task(context.auditing.run())
                tasks.create_task(asyncio.to_thread(compile_all))
                tasks.create_task(serve_http(web(context), listener, context.closing, started))


@asynccontextmanager
async def _operating(link: Link) -> AsyncIterator[None]:
    """Make the tables of the records, and answer operators."""
    await migrate(link.database, RECORDS)
    buckets = link.bucket(Bucket.QUARANTINE), link.bucket(Bucket.SECRETS)
    verifying = VerifyingLog(link.log, link.rows, *buckets, utc_now)
    async with link.operating([*verifying.checks(), *VerifyingCopy(link.log, link.database).checks()]):
        yield


def _gateway(link: Link) -> Gateway:
    return Gateway(
        log=link.log,
        rows=CurrentRows(link.rows),
        append=link.append,
        vault=link.vault,
        objects=link.objects,
        personal=Personal(link.bucket(Bucket.PEOPLE), link.bucket(Bucket.NOTES)),
        logs=link.logs,
        terminals=link.terminals,
        frames=link.frames,
        clock=utc_now,
        fresh_id=uuid4,
    )


def _sweeper(gateway: Gateway, link: Link) -> OrphanSweeper:
    return OrphanSweeper(gateway, link.bucket(Bucket.QUARANTINE), (link.bucket(Bucket.OPERATIONS),))


def _context(gateway: Gateway, settings: GatewaySettings, link: Link) -> Context:
    operating = Operating(Asking(link.bucket(Bucket.OPERATIONS), utc_now), link.rows)
    quarantine = link.bucket(Bucket.QUARANTINE)
    members = InstallationOwner(owner_id(settings.installation), settings.team)
    return Context(
        gateway=gateway,
        access=TokenAccess(gateway, InstallationToken(settings.api_token_sha256, settings.team)),
        sessions=Sessions(read_keys(settings.session_keys_file), members, utc_now),
        signing_in=SigningIn(PostgresSignInLinks(link.database), members, utc_now),
        places=Places(settings.domain, settings.http_port),
        installation=settings.installation,
        team=settings.team,
        webhook_keys=WebhookKeys(settings.webhook_key.get_secret_value().encode()),
        hub=Hub(gateway.log, gateway.rows),
        operating=operating,
        quarantining=Quarantining(quarantine, gateway.personal, operating, utc_now, uuid4),
        auditing=Auditing(link.audit, utc_now, time.monotonic, uuid4),
        closing=asyncio.Event(),
    )
