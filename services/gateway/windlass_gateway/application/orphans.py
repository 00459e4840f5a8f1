"""Values and texts that no event names: left by a command that died between storing one and naming it.

A day after they were stored nobody can be about to name them any more; until then they are left alone.
"""

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog

from windlass_contracts.subjects import Service
from windlass_eventlog.buckets import KeyValue, ids_of
from windlass_eventlog.errors import AWAY
from windlass_eventlog.projection import Projection, RowT
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.application.projections import CREDENTIALS, DEPLOYMENTS, NOTES, SECRETS

SAFE_AGE = timedelta(days=1)
"""Commands take seconds. The server's clock says when a value was stored: no two clocks are a day apart."""

_EVERY = timedelta(days=1)
_RETRY = timedelta(minutes=5)
_PATIENCE = timedelta(minutes=1)
_AT_ONCE = 200
_ID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Orphans:
    """What no event names, and is old enough that none will."""

    secrets: tuple[UUID, ...] = ()
    notes: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class OrphanSweeper:
    """Looks for orphans at the start and every day, and deletes them.

    `others` are the buckets whose values name texts as well.
    """

    gateway: Gateway
    quarantine: KeyValue
    others: Sequence[KeyValue] = ()

    async def run(self) -> None:
        """Sweep for as long as this runs; what is away is waited for."""
        while True:
            try:
                await self.sweep()
            except AWAY as error:
                await _log.awarning("orphans.not_swept", why=str(error), again_after_s=_RETRY.total_seconds())
                await asyncio.sleep(_RETRY.total_seconds())
            else:
                await asyncio.sleep(_EVERY.total_seconds())

    async def sweep(self) -> Orphans:
        """Delete what is orphaned, and return it; doing it twice, or by two at once, does no harm.

        Raises:
            EventLogError: the log, the rows or a bucket do not answer: nothing is deleted by guess.
        """
        found = await self.orphans()
        for bucket, ids in ((self._secrets, found.secrets), (self._notes, found.notes)):
            await asyncio.gather(*(bucket.delete(str(identity)) for identity in ids))
        await _log.ainfo("orphans.swept", values=len(found.secrets), texts=len(found.notes))
        return found

    async def orphans(self) -> Orphans:
        """Return what is orphaned, and delete nothing.

        Raises:
            EventLogError: the log, the rows or a bucket do not answer.
        """
        secrets = await self._old(self._secrets, await self._unnamed(SECRETS, await ids_of(self._secrets)))
        notes = await self._old(self._notes, await self._unnamed(NOTES, await ids_of(self._notes)))
        if not secrets and not notes:
            return Orphans()
        # The rows may lag behind what was stored a day ago, after an outage: only now do they say who names what.
        await self.gateway.rows.reached(await self.gateway.log.head(), _PATIENCE)
        if await self._passes_over_events():
            return Orphans()
        secrets = await self._undeployed(await self._unnamed(SECRETS, secrets))
        notes = await self._unmentioned(await self._unnamed(NOTES, notes))
        return Orphans(tuple(secrets), tuple(notes))

    @property
    def _secrets(self) -> KeyValue:
        return self.gateway.vault.bucket

    @property
    def _notes(self) -> KeyValue:
        return self.gateway.personal.notes

    async def _unnamed(self, projection: Projection[RowT], ids: Sequence[UUID]) -> list[UUID]:
        unnamed: list[UUID] = []
        for some in _portions(ids):
            rows = await self.gateway.rows.get_all(projection, some)
            unnamed += [identity for identity in some if identity not in rows]
        return unnamed

    async def _old(self, bucket: KeyValue, ids: Sequence[UUID]) -> list[UUID]:
        before = self.gateway.clock() - SAFE_AGE
        old: list[UUID] = []
        for some in _portions(ids):
            entries = await asyncio.gather(*(bucket.entry(str(identity)) for identity in some))
            old += [
                identity
                for identity, entry in zip(some, entries, strict=True)
                if entry is not None and entry.stored_at < before
            ]
        return old

    async def _passes_over_events(self) -> bool:
        """Tell whether the rows leave out events that an operator put in quarantine: these may name anything."""
        async for key in self.quarantine.keys():
            if key.startswith(f"{Service.GATEWAY}."):
                await _log.awarning("orphans.kept", why="events are in quarantine, and may name what looks orphaned")
                return True
        return False

    async def _undeployed(self, secrets: Sequence[UUID]) -> list[UUID]:
        """Leave out what a deployment names, should no variable ever have been set to it, and what a credential is."""
        if not secrets:
            return []
        deployments = await self.gateway.rows.find(DEPLOYMENTS, {})
        credentials = await self.gateway.rows.find(CREDENTIALS, {})
        named = {variable.secret for one in deployments for variable in one.row.variables}
        named |= {credential.secret for one in credentials for credential in one.row.all}
        return [secret for secret in secrets if secret not in named]

    async def _unmentioned(self, notes: Sequence[UUID]) -> list[UUID]:
        """Leave out the texts that other buckets name: why an event is in quarantine, for one."""
        if not notes:
            return []
        named: set[UUID] = set()
        for bucket in (self.quarantine, *self.others):
            async for key in bucket.keys():
                named.update(UUID(found.decode()) for found in _ID.findall(await bucket.get(key) or b""))
        return [note for note in notes if note not in named]


def _portions(ids: Sequence[UUID]) -> Iterable[Sequence[UUID]]:
    return (ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE))
