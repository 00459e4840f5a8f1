"""`/api/v1/keys`: what encrypts stored values, and rotating it. Keys themselves are shown nowhere."""

from collections.abc import AsyncGenerator, Iterable
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from windlass_eventlog.key_rotation import Rotation
from windlass_gateway.application.keys import ManagingKeys, Unreadable
from windlass_gateway.entrypoints.audited import acted
from windlass_gateway.entrypoints.context import ACaller, AContext
from windlass_gateway.entrypoints.streaming import MEDIA_TYPE, ALines

router = APIRouter(prefix="/keys", tags=["keys"])

_IS_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}, "description": "one JSON document a line"}
}


class KeyView(BaseModel):
    """A key, and how many values are encrypted with it. The first one encrypts what is stored from now on."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    key: Annotated[str, Field(description="the beginning of the SHA-256 digest of the key")]
    values: int


class UnreadableView(BaseModel):
    """A value that none of the keys opens."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    secret: UUID
    variable: Annotated[str | None, Field(description="what it was set to; null where no event names it")]


class KeysView(BaseModel):
    """All keys, the newest first. More than one: a rotation is under way, or was cut short."""

    keys: list[KeyView]
    unreadable: list[UnreadableView]


class RotationView(BaseModel):
    """How far a rotation is."""

    key: str
    resumed: bool
    values: int
    encrypted: Annotated[int, Field(description="values that were encrypted with the new key by now")]
    left: Annotated[int, Field(description="values that were not looked at yet")]
    done: bool
    retired: Annotated[int, Field(description="old keys that are gone from the file")]
    unreadable: list[UnreadableView]

    @classmethod
    def of(cls, state: Rotation, unreadable: Iterable[Unreadable]) -> Self:
        return cls(
            key=state.key,
            resumed=state.resumed,
            values=state.values,
            encrypted=state.encrypted,
            left=state.values - state.looked_at,
            done=state.done,
            retired=state.retired,
            unreadable=[UnreadableView.model_validate(one) for one in unreadable],
        )


@router.get("")
async def list_keys(asking: ACaller, shared: AContext) -> KeysView:
    """List the keys by their fingerprints, with what each is used for."""
    found = await ManagingKeys(shared.gateway).overview(asking)
    return KeysView(
        keys=[KeyView.model_validate(one) for one in found.keys],
        unreadable=[UnreadableView.model_validate(one) for one in found.unreadable],
    )


@router.post("/rotation", responses=_IS_STREAM)
async def rotate_keys(request: Request, asking: ACaller, shared: AContext, lines: ALines) -> StreamingResponse:
    """Rotate the keys, for as long as the answer is read; sent again, it goes on where it was cut short."""
    using = ManagingKeys(shared.gateway)
    states = using.rotate(asking)
    first = await anext(states)  # what refuses a rotation is answered by a status
    return lines.answer(_told(request, using, first, states))


async def _told(
    request: Request, using: ManagingKeys, first: Rotation, states: AsyncGenerator[Rotation, None]
) -> AsyncGenerator[RotationView, None]:
    try:
        yield RotationView.of(first, ())
        async for state in states:
            if state.done:
                acted(request, "keys rotate")
            yield RotationView.of(state, await using.named(state.unreadable) if state.done else ())
    finally:
        await states.aclose()
