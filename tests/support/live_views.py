"""Views of a test's own, whose messages say which events they are about, and a client that reads them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from support.eventlog_samples import canceled, deployment_key
from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.subjects import AggregateKey
from windlass_eventlog.log import Expected
from windlass_eventlog.memory import MemoryLog
from windlass_eventlog.memory.rows import MemoryRows
from windlass_gateway.entrypoints.live.hub import Hub, Pace
from windlass_gateway.entrypoints.live.place import Place
from windlass_gateway.entrypoints.live.view import EventsView, StateView


@asynccontextmanager
async def running_hub(log: MemoryLog, pace: Pace) -> AsyncIterator[Hub]:
    """Yield a hub at work."""
    hub = Hub(log, MemoryRows(log, ()), pace)
    running = asyncio.ensure_future(hub.run())
    try:
        await hub.epoch()
        yield hub
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


def events_view(key: AggregateKey) -> EventsView:
    return EventsView(f"events/{key.id}", frozenset({(key.aggregate, key.id)}), render=_written)


async def _written(recorded: Recorded[Event]) -> str:
    await asyncio.sleep(0)  # as a look into the database
    return f"event {recorded.sequence}"


def state_view(key: AggregateKey, log: MemoryLog) -> StateView:
    async def render() -> str:
        await asyncio.sleep(0)
        return f"state {sum(log.at(n).key == key for n in range(1, log.length + 1))}"

    return StateView(f"state/{key.id}", frozenset({(key.aggregate, key.id)}), render=render)


async def append(log: MemoryLog, key: AggregateKey) -> int:
    last = max((n for n in range(1, log.length + 1) if log.at(n).key == key), default=0)
    return await log.append(canceled(key), Expected.at(key, last))


def messages(body: bytes) -> list[tuple[Place, str]]:
    """Return the unnamed messages of a piece of a stream: place and content."""
    found = []
    for block in body.decode().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "id" in lines:
            place = Place.parse(lines["id"])
            assert place is not None
            found.append((place, lines["data"]))
    return found


__all__ = ["append", "canceled", "deployment_key", "events_view", "messages", "running_hub", "state_view"]
