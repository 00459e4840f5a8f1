"""Uploads of folders: an archive goes into the object store under its own digest, then a deployment names it.

What is stored under a digest is never anything else, so that sending it again, or by two at once, does no harm.
"""

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from windlass_contracts.events.deployment import UploadSource
from windlass_contracts.ids import TeamId
from windlass_eventlog.errors import StoreFullError
from windlass_gateway.application.access import Caller, Permission
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.application.projections import DEPLOYMENTS
from windlass_gateway.domain.refusals import InvalidInputError, TooMuchUploadedError, UploadNotFoundError

MAX_UPLOAD_BYTES = 512 * 1024 * 1024
MAX_WAITING_BYTES = 2 * MAX_UPLOAD_BYTES
"""So much of a team's uploads may wait for the deployment that names them, with what arrives."""
KEPT_UNNAMED_HOURS = 24
"""So long the builder leaves an upload that no deployment names."""


@dataclass(frozen=True, slots=True)
class Uploads:
    """The uploads of the caller's team."""

    gateway: Gateway

    async def take(self, caller: Caller, digest: str, size: int, content: AsyncIterator[bytes]) -> UploadSource:
        """Store what comes, once it is whole and has the digest (`sha256:...`); what is there already is not read.

        At most `size` bytes come.

        Raises:
            Refusal: it has another digest, nothing came, or too many uploads wait already.
            EventLogError: the object store did not take it, or is full.
        """
        caller.demand(Permission.DEPLOY)
        key = _key(caller.team, digest)
        if await self.gateway.objects.size(key) is None:
            with self.gateway.arriving.counted(caller.team, size):
                await self._bound(caller.team)
                async with aclosing(_checked(digest, content)) as checked:
                    await self.gateway.objects.put(key, checked)
        return await self.find(caller, digest)

    async def expect(self, caller: Caller, size: int) -> None:
        """Make sure that so many bytes more would be taken.

        Raises:
            TooMuchUploadedError: the team has uploads enough that no deployment names.
            StoreFullError: the object store has no room for them.
            EventLogError: it does not answer.
        """
        with self.gateway.arriving.counted(caller.team, size):
            await self._bound(caller.team)

    async def _bound(self, team: TeamId) -> None:
        """Refuse what arrives if it is too much, with what is there; as `expect`."""
        waiting, arriving = await self._unnamed(team), self.gateway.arriving
        if waiting + arriving.of(team) > MAX_WAITING_BYTES:
            raise TooMuchUploadedError(waiting, arriving.of(team), MAX_WAITING_BYTES, KEPT_UNNAMED_HOURS)
        if arriving.total > await self.gateway.objects.room():
            msg = f"The object store has no room for {arriving.total} bytes more."
            raise StoreFullError(msg)

    async def _unnamed(self, team: TeamId) -> int:
        """Return how many bytes the team's uploads have that no deployment names; of all, where that is few enough.

        Who names what takes all deployments of the team to know.
        """
        stored = {one.key: one.size async for one in self.gateway.objects.all(_place(team))}
        if sum(stored.values()) + self.gateway.arriving.of(team) > MAX_WAITING_BYTES:
            for one in await self.gateway.rows.find(DEPLOYMENTS, {"team": team}):
                if isinstance(one.row.source, UploadSource):
                    stored.pop(one.row.source.key, None)
        return sum(stored.values())

    async def find(self, caller: Caller, digest: str) -> UploadSource:
        """Return what was uploaded, as a deployment names it.

        Raises:
            UploadNotFoundError: nothing was, or it is gone.
        """
        key = _key(caller.team, digest)
        size = await self.gateway.objects.size(key)
        if size is None:
            raise UploadNotFoundError(digest)
        return UploadSource(key=key, digest=digest, size_bytes=size)

    async def check(self, source: UploadSource) -> None:
        """Make sure that it is still there.

        Raises:
            UploadNotFoundError: it is gone.
        """
        if await self.gateway.objects.size(source.key) is None:
            raise UploadNotFoundError(source.digest)


def _key(team: TeamId, digest: str) -> str:
    return f"{_place(team)}{digest.removeprefix('sha256:')}"


def _place(team: TeamId) -> str:
    return f"uploads/{team}/"


async def _checked(digest: str, content: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Yield what comes, and refuse it at its end if it is something else: then nothing is stored."""
    seen, size = hashlib.sha256(), 0
    async for piece in content:
        seen.update(piece)
        size += len(piece)
        yield piece
    if f"sha256:{seen.hexdigest()}" != digest:
        raise InvalidInputError(
            f"What arrived ({size} bytes) has another digest than the address says.",
            field="digest",
            next_step="Send it again: it was damaged or cut off on its way.",
        )
    if not size:
        raise InvalidInputError("Nothing was uploaded.", field="digest", next_step="Send a tar, packed with zstd.")
