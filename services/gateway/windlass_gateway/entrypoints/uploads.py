"""`/api/v1/uploads`: archives of folders, each under its digest. A deployment names the digest."""

from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from windlass_contracts.values import Digest
from windlass_gateway.application.access import Permission
from windlass_gateway.application.uploads import MAX_UPLOAD_BYTES, Uploads
from windlass_gateway.domain.refusals import InvalidInputError, UploadNotFoundError
from windlass_gateway.entrypoints.context import ACaller, AContext

PATH = "/uploads"
router = APIRouter(prefix=PATH, tags=["uploads"])

ADigest = Annotated[Digest, Path(description="`sha256:` and the digest of the archive, in hex")]

ASize = Annotated[
    int | None, Query(ge=0, le=MAX_UPLOAD_BYTES, description="how large it is; asked before much is sent in vain")
]


class UploadView(BaseModel):
    """What is there, whole."""

    digest: str
    size_bytes: int


@router.put("/{digest}")
async def upload(digest: ADigest, request: Request, asking: ACaller, shared: AContext) -> UploadView:
    """Upload a folder as a tar, packed with zstd: 512 MiB at most. Answered once it is stored; again does no harm."""
    size = int(request.headers.get("content-length", MAX_UPLOAD_BYTES))
    stored = await Uploads(shared.gateway).take(asking, digest, size, _body(request))
    return UploadView(digest=stored.digest, size_bytes=stored.size_bytes)


@router.get("/{digest}")
async def find_upload(digest: ADigest, asking: ACaller, shared: AContext, size_bytes: ASize = None) -> UploadView:
    """Say whether that was uploaded already; with its size, also whether it would be taken now."""
    asking.demand(Permission.DEPLOY)
    uploads = Uploads(shared.gateway)
    try:
        found = await uploads.find(asking, digest)
    except UploadNotFoundError:
        if size_bytes is not None:
            await uploads.expect(asking, size_bytes)
        raise
    return UploadView(digest=found.digest, size_bytes=found.size_bytes)


async def _body(request: Request) -> AsyncGenerator[bytes, None]:
    try:
        async for piece in request.stream():
            yield piece
    except ClientDisconnect as error:
        raise InvalidInputError("The upload broke off.", field="digest", next_step="Send it again.") from error
