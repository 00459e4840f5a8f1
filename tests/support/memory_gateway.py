"""A whole gateway over the log in memory, with the other services' events told by the test."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID, uuid4

import httpx
from cryptography.fernet import Fernet, MultiFernet

from support.gateway_story import way_to_live
from support.memory_links import MemorySignInLinks
from windlass_contracts.cloudevent import Metadata, Proposed
from windlass_contracts.event import Event
from windlass_contracts.events import AliasesChanged, RoutesApplied
from windlass_contracts.events.routes import Alias, AliasMove
from windlass_contracts.ids import DeploymentId, EventId, TeamId, derived
from windlass_contracts.logs import LogBatch, LogLine
from windlass_contracts.subjects import Aggregate, AggregateKey, Service
from windlass_eventlog.appender import Appender
from windlass_eventlog.audit import Audit
from windlass_eventlog.clock import utc_now
from windlass_eventlog.frames.memory import MemoryFrames
from windlass_eventlog.log import Expected
from windlass_eventlog.logs.memory import MemoryLogStore
from windlass_eventlog.logs.port import DeploymentLog
from windlass_eventlog.memory.audit import MemoryAudit
from windlass_eventlog.memory.buckets import MemoryKeyValue, MemoryObjects
from windlass_eventlog.memory.keys import MemoryKeys
from windlass_eventlog.memory.log import MemoryLog
from windlass_eventlog.memory.rows import MemoryRows
from windlass_eventlog.operations import Asking
from windlass_eventlog.operations.asking import SILENCE
from windlass_eventlog.service_log import configure_log
from windlass_eventlog.vault import Vault
from windlass_gateway.adapters.installation_owner import InstallationOwner
from windlass_gateway.adapters.installation_token import InstallationToken
from windlass_gateway.application.auditing import Auditing
from windlass_gateway.application.current_rows import CurrentRows
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.application.operating import Operating, Quarantining
from windlass_gateway.application.personal import Personal
from windlass_gateway.application.projections import ALL, DEPLOYMENTS
from windlass_gateway.application.signing_in import SigningIn
from windlass_gateway.application.tokens import TokenAccess
from windlass_gateway.domain.people import owner_id
from windlass_gateway.domain.webhook_keys import WebhookKeys
from windlass_gateway.entrypoints.access.sessions import Session, Sessions
from windlass_gateway.entrypoints.context import Context
from windlass_gateway.entrypoints.live.hub import Hub, Pace
from windlass_gateway.entrypoints.places import Places
from windlass_gateway.entrypoints.web import web

TOKEN = "wl-test-token"  # noqa: S105 - of this test's own gateway
INSTALLATION = "0a1b2c3d"
DASHBOARD = "http://windlass.localhost:8080"
MEMORY_TEAM = TeamId(derived("team", INSTALLATION))


def _key() -> Fernet:
    return Fernet(Fernet.generate_key())


@dataclass
class MemoryGateway:
    """The parts of a gateway; `client` speaks to it without a network."""

    log: MemoryLog = field(default_factory=lambda: MemoryLog(INSTALLATION))
    logs: MemoryLogStore = field(default_factory=MemoryLogStore)
    secrets: MemoryKeyValue = field(default_factory=MemoryKeyValue)
    people: MemoryKeyValue = field(default_factory=MemoryKeyValue)
    notes: MemoryKeyValue = field(default_factory=MemoryKeyValue)
    objects: MemoryObjects = field(default_factory=MemoryObjects)
    operations: MemoryKeyValue = field(default_factory=MemoryKeyValue)
    quarantine: MemoryKeyValue = field(default_factory=MemoryKeyValue)
    audit: Audit = field(default_factory=MemoryAudit)
    team: TeamId = MEMORY_TEAM
    now: Callable[[], datetime] = utc_now
    domain: str = "localhost"
    silence: timedelta = SILENCE
    pace: Pace = field(default_factory=Pace)
    frames: MemoryFrames = field(default_factory=MemoryFrames)

    def __post_init__(self) -> None:
        configure_log()
        self.rows = MemoryRows(self.log, ALL)
        self.vault = Vault(self.secrets, MemoryKeys())
        self.gateway = Gateway(
            log=self.log,
            rows=CurrentRows(self.rows),
            append=Appender(self.log, Service.GATEWAY, utc_now),
            vault=self.vault,
            objects=self.objects,
            personal=Personal(self.people, self.notes),
            logs=self.logs,
            terminals=MemoryLogStore(),
            frames=self.frames,
            clock=self.now,
            fresh_id=uuid4,
        )
        self.owner = owner_id(INSTALLATION)
        self.members = InstallationOwner(self.owner, self.team)
        self.sessions = Sessions(MultiFernet([_key()]), self.members, self.now)
        self.links = MemorySignInLinks()
        self.webhook_keys = WebhookKeys(b"webhook-key-of-the-tests")
        self.closing = asyncio.Event()
        self.hub = Hub(self.log, self.rows, self.pace)
        self.operating = Operating(Asking(self.operations, utc_now, self.silence), self.rows)
        self.auditing = Auditing(self.audit, utc_now, time.monotonic, uuid4)
        self.app = web(
            Context(
                gateway=self.gateway,
                access=TokenAccess(self.gateway, InstallationToken(sha256(TOKEN.encode()).hexdigest(), self.team)),
                sessions=self.sessions,
                signing_in=SigningIn(self.links, self.members, self.now),
                places=Places(self.domain, 8080),
                installation=INSTALLATION,
                team=self.team,
                webhook_keys=self.webhook_keys,
                hub=self.hub,
                operating=self.operating,
                quarantining=Quarantining(self.quarantine, self.gateway.personal, self.operating, utc_now, uuid4),
                auditing=self.auditing,
                closing=self.closing,
            )
        )

    @asynccontextmanager
    async def client(self, token: str | None = TOKEN) -> AsyncIterator[httpx.AsyncClient]:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=f"{DASHBOARD}/api/v1", headers=headers) as client:
            yield client

    def session(self) -> Session:
        """Return a new session of the installation's owner."""
        return Session.begun(self.owner, self.team, self.now())

    def signed_in(self, session: Session | None = None) -> dict[str, str]:
        """Return the cookie of a session, a new one's by default, as a browser sends it."""
        name, _, rest = self.sessions.cookie(session or self.session(), secure=False).partition("=")
        return {name: rest.partition(";")[0]}

    @asynccontextmanager
    async def browser(self, cookies: dict[str, str] | None = None) -> AsyncIterator[httpx.AsyncClient]:
        """Yield a client of the pages, signed in unless other cookies are given; it follows no redirects."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        given = self.signed_in() if cookies is None else cookies
        headers = {"Accept": "text/html,*/*;q=0.8"}
        client = httpx.AsyncClient(transport=transport, base_url=DASHBOARD, headers=headers)
        for name, value in given.items():
            client.cookies.set(name, value, domain="windlass.localhost")  # as an answer's own, which replaces it
        async with self.telling(), client:
            yield client

    @asynccontextmanager
    async def telling(self) -> AsyncIterator[None]:
        """Let the hub tell pages what changes on them for as long as the block lasts."""
        running = asyncio.create_task(self.hub.run())
        try:
            yield
        finally:
            running.cancel()
            await asyncio.wait({running})

    async def append(self, key: AggregateKey, event: Event) -> int:
        """Append an event as the service that owns it does."""
        (service, *_) = sorted(event.APPENDED_BY)
        identity = EventId(uuid4())
        metadata = Metadata(identity, utc_now(), f"service:{service}", correlation=identity)
        last = max((n for n in range(1, self.log.length + 1) if self.log.at(n).key == key), default=0)
        return await self.log.append(Proposed(service, key, event, metadata), Expected.at(key, last))

    async def tell(self, deployment: UUID, events: Iterable[Event]) -> int:
        """Append what the other services say about a deployment."""
        found = await self.rows.get(DEPLOYMENTS, deployment)
        assert found is not None
        key = AggregateKey.of_deployment(found.row.team, found.row.project, DeploymentId(deployment))
        sequence = 0
        for event in events:
            sequence = await self.append(key, event)
        return sequence

    async def route(self, deployment: UUID, alias: str, request: EventId | None = None, why: str = "cutover") -> None:
        """Let an environment's address answer with the deployment, confirmed."""
        found = await self.rows.get(DEPLOYMENTS, deployment)
        assert found is not None
        key = AggregateKey.of_project(found.row.team, found.row.project, Aggregate.ROUTES)
        address = Alias(kind="environment", name=alias, environment=found.row.environment)
        move = AliasMove(alias=address, after=DeploymentId(deployment))
        generation = await self.append(key, AliasesChanged(why=why, moves=(move,), request=request))
        await self.append(key, RoutesApplied(generation=generation, proxies=("here",), duration_ms=5))

    async def make_live(self, deployment: UUID, alias: str) -> None:
        """Tell the whole way of a deployment after its request."""
        await self.tell(deployment, way_to_live()[1:6])
        await self.route(deployment, alias)
        await self.tell(deployment, way_to_live()[6:])

    async def write_log(self, deployment: UUID, source: str, *texts: str, first: int = 0) -> None:
        """Store lines of a build or a container."""
        found = await self.rows.get(DEPLOYMENTS, deployment)
        assert found is not None
        lines = tuple(LogLine(time_ns=number, text=text) for number, text in enumerate(texts))
        log = DeploymentLog(found.row.team, found.row.project, DeploymentId(deployment))
        await self.logs.append(log, LogBatch(source=source, first=first, lines=lines))

    def types(self) -> list[str]:
        """Return the types of all events, in order."""
        return [self.log.at(number).event.TYPE for number in range(1, self.log.length + 1)]
