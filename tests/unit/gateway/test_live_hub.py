"""The hub tells every viewer everything that touches its view, once and in order, however often it comes and goes."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.live_views import append, deployment_key, events_view, messages, running_hub, state_view
from windlass_contracts.subjects import AggregateKey
from windlass_eventlog.memory import MemoryLog
from windlass_eventlog.memory.rows import MemoryRows
from windlass_gateway.entrypoints.live.frames import PING
from windlass_gateway.entrypoints.live.hub import Hub, Pace
from windlass_gateway.entrypoints.live.place import Place, epoch_of
from windlass_gateway.entrypoints.live.reset import Reset, ResetError
from windlass_gateway.entrypoints.live.view import NODES, UPTIMES, StateView, Topic, View
from windlass_gateway.entrypoints.live.viewer import Viewer

QUICK = Pace(pause_s=0, kept=3)
EPOCH = epoch_of(MemoryLog().made)


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(60):
        await asyncio.sleep(0)


async def received(viewer: Viewer) -> bytes:
    """Return all that waits for a viewer by now."""
    await settle()
    body = b""
    while True:
        try:
            async with asyncio.timeout(0):
                chunk = await viewer.next()
        except TimeoutError:
            return body
        if chunk is None:
            return body
        body += chunk


@dataclass
class Client:
    """Reads a view, and comes back behind what it received last."""

    hub: Hub
    view: View
    last: Place | None = None
    told: list[str] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    _stream: AsyncExitStack | None = None
    _viewer: Viewer | None = None

    async def connect(self) -> None:
        if self._stream is None:
            self._stream = AsyncExitStack()
            self._viewer = await self._stream.enter_async_context(self.hub.watching(self.view, self.last))

    async def receive(self) -> None:
        if self._viewer is not None:
            for place, text in messages(await received(self._viewer)):
                self.places.append(place)
                self.told.append(text)
                self.last = place

    async def drop(self) -> None:
        if self._stream is not None:
            await self._stream.aclose()
            self._stream = self._viewer = None


STEPS = st.lists(
    st.sampled_from(["ours", "other", "connect", "receive", "receive", "drop", "settle", "second"]), max_size=40
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_every_event_of_a_view_arrives_once_and_in_order_however_often_the_connection_drops(steps: list[str]) -> None:
    asyncio.run(_story(steps))


async def _story(steps: list[str]) -> None:
    log, key, other = MemoryLog(), deployment_key(), deployment_key()
    await append(log, other)
    async with running_hub(log, QUICK) as hub:
        since = Place(EPOCH, 1)
        clients = [Client(hub, events_view(key), since), Client(hub, state_view(key, log), since)]
        expected: list[str] = []
        for step in steps:
            match step:
                case "ours":
                    expected.append(f"event {await append(log, key)}")
                case "other":
                    await append(log, other)
                case "settle":
                    await settle()
                case "second":
                    await clients[1].drop()
                    await clients[1].connect()
                case _:
                    for client in clients:
                        await getattr(client, step)()
        for client in clients:
            await client.connect()
            await client.receive()
            await client.drop()
        events, state = clients
        assert events.told == expected
        assert [place.sequence for place in state.places] == sorted({place.sequence for place in state.places})
        assert not expected or state.told[-1] == f"state {len(expected)}"


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def key() -> AggregateKey:
    return deployment_key()


@pytest.mark.parametrize(
    ("last", "why"),
    [
        (Place("abc", 1), Reset.OTHER_LOG),
        (Place(EPOCH, 99), Reset.FUTURE),
        (Place(EPOCH, 1), Reset.TOO_FAR_BACK),
    ],
)
async def test_a_viewer_that_cannot_go_on_is_told_why(
    log: MemoryLog, key: AggregateKey, last: Place, why: Reset
) -> None:
    for _ in range(8):
        await append(log, key)
    async with running_hub(log, Pace(kept=3, replayed=6)) as hub:
        with pytest.raises(ResetError) as refused:
            async with hub.watching(events_view(key), last):
                pass
    assert refused.value.why is why
    assert refused.value.body == f'event: reset\ndata: {{"why": "{why}"}}\n\n'.encode()


async def test_nobody_is_told_more_than_can_be_read_of_what_was_missed(log: MemoryLog, key: AggregateKey) -> None:
    async with running_hub(log, Pace(told=4)) as hub:
        for _ in range(5):
            await append(log, key)
        await settle()
        with pytest.raises(ResetError):
            async with hub.watching(events_view(key), Place(EPOCH, 0)):
                pass
        async with hub.watching(state_view(key, log), Place(EPOCH, 0)) as viewer:
            assert messages(await received(viewer)) == [(Place(EPOCH, 5), "state 5")]


async def test_a_page_that_is_ahead_of_what_was_told_is_not_told_it_again(log: MemoryLog, key: AggregateKey) -> None:
    rows = MemoryRows(log, ())
    rows.stay_at(0)
    hub = Hub(log, rows, QUICK)
    running = asyncio.ensure_future(hub.run())
    await hub.epoch()
    await append(log, key)
    async with hub.watching(events_view(key), Place(EPOCH, 1)) as viewer:
        rows.stay_at(None)
        await append(log, key)
        assert messages(await received(viewer)) == [(Place(EPOCH, 2), "event 2")]
    running.cancel()
    await asyncio.wait({running})


async def test_an_event_is_told_only_once_the_rows_show_it(log: MemoryLog, key: AggregateKey) -> None:
    rows = MemoryRows(log, ())
    hub = Hub(log, rows, QUICK)
    running = asyncio.ensure_future(hub.run())
    async with hub.watching(events_view(key), None) as viewer:
        rows.stay_at(0)
        await append(log, key)
        assert messages(await received(viewer)) == []
        rows.stay_at(None)
        assert messages(await received(viewer)) == [(Place(EPOCH, 1), "event 1")]
    running.cancel()
    await asyncio.wait({running})


async def test_events_close_to_one_another_make_one_message_of_a_state(log: MemoryLog, key: AggregateKey) -> None:
    async with running_hub(log, Pace(pause_s=0.05)) as hub, hub.watching(state_view(key, log), None) as viewer:
        await append(log, key)
        first = messages(await received(viewer))
        for _ in range(10):
            await append(log, key)
        held_back = messages(await received(viewer))
        chunk = await viewer.next()
    assert (first, held_back) == ([(Place(EPOCH, 1), "state 1")], [])
    assert messages(chunk or b"") == [(Place(EPOCH, 11), "state 11")]


async def test_one_frame_is_rendered_once_for_all_viewers_and_none_for_a_view_that_nobody_watches(
    log: MemoryLog, key: AggregateKey
) -> None:
    view, rendered = state_view(key, log), 0

    async def render() -> str:
        nonlocal rendered
        rendered += 1
        return "state"

    counted = type(view)(view.name, view.topics, render=render)
    async with running_hub(log, QUICK) as hub, AsyncExitStack() as open_streams:
        await append(log, key)
        await settle()
        assert rendered == 0
        viewers = [await open_streams.enter_async_context(hub.watching(counted, None)) for _ in range(50)]
        assert hub.viewers == 50
        await append(log, key)
        bodies = {await received(viewer) for viewer in viewers}
    assert rendered == 1
    assert bodies == {PING + f"id: {EPOCH}-2\ndata: state\n\n".encode()}


async def test_a_viewer_that_reads_too_slowly_is_ended_and_the_others_are_not(
    log: MemoryLog, key: AggregateKey
) -> None:
    async with running_hub(log, Pace(waiting=4)) as hub:
        async with hub.watching(events_view(key), None) as slow, hub.watching(events_view(key), None) as quick:
            told = []
            for _ in range(6):
                await append(log, key)
                told += messages(await received(quick))
            rest = await received(slow)
            assert await slow.next() is None
        assert hub.viewers == 0
    assert [text for _, text in told] == [f"event {number}" for number in range(1, 7)]
    assert rest.startswith(b": too slow")


async def test_a_view_that_cannot_be_rendered_ends_its_streams_and_no_others(log: MemoryLog, key: AggregateKey) -> None:
    async def render() -> str:
        raise ValueError

    broken = type(state_view(key, log))("broken", frozenset({key.team}), render=render)
    async with (
        running_hub(log, QUICK) as hub,
        hub.watching(broken, None) as unlucky,
        hub.watching(events_view(key), None) as viewer,
    ):
        await append(log, key)
        assert b"could not be rendered" in await received(unlucky)
        assert await unlucky.next() is None
        assert messages(await received(viewer)) == [(Place(EPOCH, 1), "event 1")]


async def test_a_hub_that_stops_ends_all_streams_with_a_word(log: MemoryLog, key: AggregateKey) -> None:
    async with AsyncExitStack() as open_streams:
        async with running_hub(log, QUICK) as hub:
            viewer = await open_streams.enter_async_context(hub.watching(events_view(key), None))
            await received(viewer)
        assert await viewer.next() == b": the gateway stops: come back\n\n"
        assert await viewer.next() is None


@given(st.text(max_size=40))
def test_only_what_is_written_as_a_place_is_one(text: str) -> None:
    place = Place.parse(text)
    assert place is None or str(place) == text
    assert Place.parse(f"19c-{len(text)}") == Place("19c", len(text))


async def test_what_nodes_say_is_shown_though_the_log_stands_still(log: MemoryLog, key: AggregateKey) -> None:
    waiting = [1]

    async def render() -> str:
        return f"place {waiting[0]}"

    topics = frozenset[Topic]({(key.aggregate, key.id), NODES})
    view = StateView("queue", topics, render=render)
    async with running_hub(log, QUICK) as hub:
        await append(log, key)
        async with hub.watching(view, Place(EPOCH, 1)) as viewer:
            await received(viewer)
            for place in (3, 2):
                waiting[0] = place
                hub.renew([key.id])
                assert messages(await received(viewer)) == [(Place(EPOCH, 1), f"place {place}")]
            waiting[0] = 1
            hub.renew([])
            assert messages(await received(viewer)) == [(Place(EPOCH, 1), "place 1")]
        async with hub.watching(view, Place(EPOCH, 1)) as late:  # it may have changed since the page was rendered
            assert [text for _, text in messages(await received(late))] == ["place 1"]
        async with hub.watching(events_view(key), Place(EPOCH, 1)) as other:
            hub.renew([key.id])
            assert messages(await received(other)) == []


async def test_how_environments_answer_is_shown_in_the_list_and_on_the_projects_own_page(
    log: MemoryLog, key: AggregateKey
) -> None:
    async def render() -> str:
        return "uptime"

    assert key.project is not None
    listed = StateView("list", frozenset[Topic]({UPTIMES}), render=render)
    own = StateView("own", frozenset[Topic]({key.project}), render=render)
    other = StateView("other", frozenset[Topic]({key.team}), render=render)
    async with running_hub(log, QUICK) as hub:
        await append(log, key)
        async with AsyncExitStack() as stack:
            viewers = [
                await stack.enter_async_context(hub.watching(one, Place(EPOCH, 1))) for one in (listed, own, other)
            ]
            for viewer in viewers:
                await received(viewer)
            hub.renew_uptimes([key.project])
            told = [[text for _, text in messages(await received(viewer))] for viewer in viewers]
            assert told == [["uptime"], ["uptime"], []]
