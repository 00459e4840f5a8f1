"""A stream's end does not wait for a client that takes nothing."""

import asyncio

import pytest
from starlette.types import Message

from windlass_gateway.entrypoints.live.stream import chunk, patient


async def test_a_client_that_takes_nothing_is_given_up() -> None:
    async def blocked(_: Message) -> None:
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await patient(blocked, seconds=0.01)(chunk(b"a line"))


async def test_a_client_that_takes_what_it_gets_gets_it_as_it_is() -> None:
    taken: list[Message] = []

    async def send(message: Message) -> None:
        taken.append(message)

    await patient(send)(chunk(b"a line"))
    assert taken == [chunk(b"a line")]
