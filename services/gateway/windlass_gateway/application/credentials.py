"""The use cases of credentials: the secret goes into the vault first, then the event names it."""

from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from windlass_contracts.credential_values import CredentialKind, DeployKey, Login
from windlass_contracts.event import Event
from windlass_contracts.events import CredentialSet
from windlass_contracts.ids import EventId, ProjectId
from windlass_contracts.subjects import Aggregate, AggregateKey
from windlass_eventlog.projection import Versioned
from windlass_gateway.application.access import Caller, Permission
from windlass_gateway.application.decisions import Signature, append_all, decided
from windlass_gateway.application.finding import Finder
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.application.projections import CREDENTIALS
from windlass_gateway.domain.credentials import Credential, Credentials, check_room, checked_host, decide_removal
from windlass_gateway.domain.project import Project
from windlass_gateway.domain.writes import Write


@dataclass(frozen=True, slots=True)
class CredentialPlace:
    """Which project's credential, of what kind, for which host; without a host, for the project's repository's."""

    project: str
    kind: CredentialKind
    host: str = ""


@dataclass(frozen=True, slots=True)
class CredentialIsSet:
    """What the credential is for, as it was understood. Rows show it from `sequence` on."""

    host: str
    public_key: str | None
    sequence: int


@dataclass(frozen=True, slots=True)
class _Found:
    project: Versioned[Project]
    host: str
    credentials: Credentials = field(default_factory=Credentials)
    sequence: int = 0

    def known(self, kind: CredentialKind) -> Credential | None:
        return self.credentials.find(kind, self.host)


@dataclass(frozen=True, slots=True)
class ManagingCredentials:
    """Sets and takes back credentials, for all fetches from then on; the secret of one that is gone is shredded."""

    gateway: Gateway

    async def list(self, caller: Caller, slug: str) -> tuple[Credential, ...]:
        """Return a project's credentials, by host and kind.

        Raises:
            Refusal: there is no such project.
        """
        caller.demand(Permission.READ)
        project = await Finder(self.gateway.rows, caller.team).project(slug)
        row = await self.gateway.rows.get(CREDENTIALS, project.key)
        return () if row is None else tuple(sorted(row.row.all, key=lambda one: (one.host, one.kind)))

    async def make_deploy_key(self, caller: Caller, place: CredentialPlace) -> CredentialIsSet:
        """Make a key for a host that is reached by SSH; it replaces the one before. Only its public half is shown.

        Raises:
            Refusal: there is no such project, or the host is none.
            EventLogError: the log or the vault did not take it.
        """
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
        public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        return await self._set(caller, place, DeployKey(private_key=private).model_dump_json(), public)

    async def set_login(self, caller: Caller, place: CredentialPlace, login: Login) -> CredentialIsSet:
        """Store a user's name and password or token for a host; they replace those before.

        Raises:
            Refusal: there is no such project, or the host is none.
            EventLogError: the log or the vault did not take it.
        """
        return await self._set(caller, place, login.model_dump_json(), None)

    async def remove(self, caller: Caller, place: CredentialPlace) -> int:
        """Take a credential back, and return the event's sequence.

        Raises:
            Refusal: there is no such project or credential.
            EventLogError: the log did not take it.
        """
        caller.demand(Permission.CONFIGURE)
        identity = EventId(self.gateway.fresh_id())

        async def attempt() -> tuple[int, Credential | None]:
            found = await self._find(caller, place)
            event = decide_removal(found.project.row.slug, found.credentials, place.kind, found.host)
            return await self._append(caller, found, event, identity), found.known(place.kind)

        sequence, before = await decided(self.gateway, attempt)
        await self._shred(before)
        return sequence

    async def _set(self, caller: Caller, place: CredentialPlace, value: str, public_key: str | None) -> CredentialIsSet:
        caller.demand(Permission.CONFIGURE)
        known = await self._find(caller, place)
        check_room(known.credentials, place.kind, known.host)  # a refusal comes before anything is stored
        secret = await self.gateway.vault.store(value)
        identity = EventId(self.gateway.fresh_id())
        place = replace(place, host=known.host)  # whatever becomes of the project's repository meanwhile
        event = CredentialSet(kind=place.kind, host=known.host, secret=secret, public_key=public_key)

        async def attempt() -> tuple[int, Credential | None]:
            found = await self._find(caller, place)
            check_room(found.credentials, place.kind, found.host)
            return await self._append(caller, found, event, identity), found.known(place.kind)

        sequence, before = await decided(self.gateway, attempt)
        await self._shred(before)
        return CredentialIsSet(known.host, public_key, sequence)

    async def _shred(self, before: Credential | None) -> None:
        """Delete the secret of what was replaced or taken back; cut short here, the sweep for orphans does it."""
        if before is not None:
            await self.gateway.vault.shred(before.secret)

    async def _find(self, caller: Caller, place: CredentialPlace) -> _Found:
        project = await Finder(self.gateway.rows, caller.team).project(place.project)
        host = checked_host(place.kind, place.host, project.row.repository)
        row = await self.gateway.rows.get(CREDENTIALS, project.key)
        return _Found(project, host) if row is None else _Found(project, host, row.row, row.sequence)

    async def _append(self, caller: Caller, found: _Found, event: Event, identity: EventId) -> int:
        key = AggregateKey.of_project(caller.team, ProjectId(found.project.key), Aggregate.CREDENTIALS)
        return await append_all(self.gateway, [Write(key, event, found.sequence)], Signature(caller.actor, identity))
