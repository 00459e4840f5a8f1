"""What the gateway makes of what nodes say."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime
from uuid import UUID

import pytest

from windlass_eventlog.memory import MemoryKeyValue
from windlass_eventlog.nodes import NodeState, QueuePlace
from windlass_gateway.application.nodes import Nodes
from windlass_gateway.domain.bearings import Queued, ordinal

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FIRST, SECOND = UUID(int=1), UUID(int=2)


def said(*waiting: UUID) -> bytes:
    places = [QueuePlace(deployment=one, position=at, reason="2 builds run.") for at, one in enumerate(waiting, 1)]
    return NodeState(at=NOON, queue=tuple(places)).model_dump_json().encode()


async def test_places_follow_what_the_node_says_and_only_what_changed_is_told() -> None:
    bucket, nodes, told = MemoryKeyValue(), Nodes(), asyncio.Queue[set[UUID]]()
    following = asyncio.create_task(nodes.follow(bucket, lambda changed: told.put_nowait(set(changed))))
    try:
        await bucket.put("one", said(FIRST, SECOND))
        assert await told.get() == {FIRST, SECOND}
        assert nodes.queued(SECOND) == Queued(2, "2 builds run.")
        assert nodes.waiting == 2
        await bucket.put("one", said(SECOND))
        assert await told.get() == {FIRST, SECOND}
        assert nodes.queued(FIRST) is None
        await bucket.put("one", said(SECOND))
        assert await told.get() == set()
        await bucket.put("one", b"what no release writes")
        assert await told.get() == {SECOND}
        assert not nodes.states
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def test_place_is_told_each_time_it_changes_and_only_then() -> None:
    bucket, nodes, told = MemoryKeyValue(), Nodes(), asyncio.Queue[set[UUID]]()
    following = asyncio.create_task(nodes.follow(bucket, lambda changed: told.put_nowait(set(changed))))
    try:
        async with aclosing(nodes.places(SECOND)) as places:
            await bucket.put("one", said(FIRST, SECOND))
            assert (await anext(places)).sentence == "2nd in the queue: 2 builds run."
            following_place = asyncio.ensure_future(anext(places))
            await bucket.put("one", said(FIRST, SECOND, UUID(int=3)))
            await bucket.put("one", said(SECOND))
            assert (await following_place).position == 1
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


@pytest.mark.parametrize(
    ("number", "written"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (21, "21st"), (113, "113th")],
)
def test_place_is_written_as_people_do(number: int, written: str) -> None:
    assert ordinal(number) == written
