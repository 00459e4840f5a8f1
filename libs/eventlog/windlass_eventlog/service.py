"""The one wiring facility of every service: connected to the log and its own database, caught up, and ready to react.

    async with connected(Service.ROUTER, settings, projections=[ROUTES]) as link:
        async with link.reacting([Reactor(...)]):
            started()
            await asyncio.Event().wait()

NATS and PostgreSQL may restart meanwhile: everything goes on where it was. What cannot go on (a deleted stream or
consumer, a missing permission, a sequence that is gone) ends the block with its error, so that a supervisor starts the
service anew and its log says why.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from windlass_contracts.subjects import Service
from windlass_eventlog.clock import Clock, utc_now
from windlass_eventlog.folding import AnyProjection
from windlass_eventlog.link import Link
from windlass_eventlog.settings import CommonSettings


@asynccontextmanager
async def connected(
    service: Service, settings: CommonSettings, *, projections: Sequence[AnyProjection], clock: Clock = utc_now
) -> AsyncIterator[Link]:
    """Connect, read the log up to its head, and yield the link; everything is closed when the block ends.

    Raises:
        NotProvisionedError: a stream, consumer or bucket is missing.
        PermissionDeniedError, GapError, HaltedError: the service cannot work, or cannot go on.
    """
    async for link in _connections(service, settings, projections, clock):
        yield link


def _connections(
    service: Service, settings: CommonSettings, projections: Sequence[AnyProjection], clock: Clock
) -> AsyncIterator[Link]:
    raise NotImplementedError(service, settings, projections, clock)
