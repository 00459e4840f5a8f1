"""Uploads of folders: an archive goes into the object store under its own digest, then a deployment names it.

What is stored under a digest is never anything else, so that sending it again, or by two at once, does no harm.
"""

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from windlass_contracts.events.deployment import UploadSource
from windlass_contracts.ids import TeamId
from windlass_gateway.application.access import Caller, Permission
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.domain.refusals import InvalidInputError, UploadNotFoundError

MAX_UPLOAD_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Uploads:
    """The uploads of the caller's team."""

    gateway: Gateway

    async def take(self, caller: Caller, digest: str, content: AsyncIterator[bytes]) -> UploadSource:
        """Store what comes, once it is whole and has the digest (`sha256:...`); what is there already is not read.

        Raises:
            Refusal: it has another digest, or nothing came.
            EventLogError: the object store did not take it.
        """
        caller.demand(Permission.DEPLOY)
        key = _key(caller.team, digest)
        if await self.gateway.objects.size(key) is None:
            async with aclosing(_checked(digest, content)) as checked:
                await self.gateway.objects.put(key, checked)
        return await self.find(caller, digest)

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
    return f"uploads/{team}/{digest.removeprefix('sha256:')}"


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
