"""Reading the log in order to show it: what cannot be read is passed over, and never decided from."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import structlog

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.errors import ContractError
from windlass_contracts.event import Event
from windlass_contracts.subjects import ALL_EVENTS
from windlass_eventlog.log import EventLog
from windlass_eventlog.message import StoredMessage
from windlass_eventlog.patterns import matches

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """What stands at a sequence; None where this release cannot read it, or nobody asked for it."""

    sequence: int
    recorded: Recorded[Event] | None


async def seen(log: EventLog, after: int, pattern: str = ALL_EVENTS) -> AsyncGenerator[Seen, None]:
    """Yield what stands behind a sequence, in order and without gap, and go on with what is still to come.

    What stands under subjects that do not match is yielded unread.

    Raises:
        GapError: the log is not what it was.
    """
    async with aclosing(log.stretches(after)) as stretches:
        async for stretch in stretches:
            for message in stretch.messages:
                wanted = pattern == ALL_EVENTS or matches(pattern, message.subject)
                yield Seen(message.sequence, _readable(message) if wanted else None)


def _readable(message: StoredMessage) -> Recorded[Event] | None:
    try:
        return message.recorded()
    except ContractError as error:
        _log.warning("log.passed_over", sequence=message.sequence, why=str(error))
        return None
