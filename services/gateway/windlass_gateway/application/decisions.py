"""Deciding from rows and appending what was decided; when somebody else was quicker, deciding again."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from windlass_contracts.ids import EventId, derived
from windlass_contracts.subjects import AggregateKey
from windlass_eventlog.errors import ConflictError
from windlass_eventlog.log import Expected
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.domain.writes import Write

T = TypeVar("T")
_TRIES = 20


@dataclass(frozen=True, slots=True)
class Signature:
    """Who appends, and under which id; `correlation` is the id of what began it all, where that was something else."""

    actor: str
    id: EventId
    correlation: EventId | None = None


async def decided(gateway: Gateway, decide: Callable[[], Awaitable[T]], *, knowing: int | None = None) -> T:
    """Run a decision; after a conflict wait until the rows show what won, and run it again, 20 times in all.

    `knowing` is the sequence that the rows have to show first: all that this process wrote, where nothing is said.

    Raises:
        ConflictError: others were quicker each time.
        NotReachedError: the rows lag behind.
    """
    await gateway.rows.reached(gateway.own.sequence if knowing is None else knowing)
    for _ in range(_TRIES - 1):
        try:
            return await decide()
        except ConflictError:
            await gateway.rows.reached(await gateway.log.head())
    return await decide()


async def append_all(gateway: Gateway, writes: Sequence[Write], signature: Signature) -> int:
    """Append a decision's events in order and return the last one's sequence; the signature's id is that last one's.

    The ids of the others follow from what they say: what was appended before a conflict is not appended twice.

    Raises:
        ConflictError: something changed since the rows were read. What was appended before stays, and means no harm:
            deciding again finds it done.
    """
    appended: dict[AggregateKey, int] = {}
    sequence = 0
    for number, write in enumerate(writes, start=1):
        identity = signature.id
        if number < len(writes):
            identity = EventId(derived("event", signature.id, write.event.TYPE, write.event.model_dump_json()))
        sequence = await gateway.append.commanded(
            write.key,
            write.event,
            Expected(write.scope or write.key.pattern, appended.get(write.key, write.after)),
            actor=signature.actor,
            id=identity,
            correlation=signature.correlation or signature.id,
        )
        # One that was appended before has an older sequence than the row that was decided from.
        appended[write.key] = max(sequence, write.after)
        gateway.own.note(write.key, sequence)
    return sequence
