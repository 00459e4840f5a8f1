"""The alarm long before the log is full: from then on nothing could be appended at all."""

import asyncio
from typing import NoReturn

import nats.errors
import structlog

from windlass_contracts.subjects import STREAM
from windlass_eventlog.jetstream.connection import Connection

_LOOK_EVERY_S = 60.0
_ALARM_AT = 0.8

_log = structlog.get_logger(__name__)


async def watch_budget(connection: Connection) -> NoReturn:
    """Look at the stream's size for ever, and say aloud when four fifths of its budget are used."""
    while True:
        try:
            info = await connection.jetstream.stream_info(STREAM)
        except (nats.errors.Error, OSError) as error:
            _log.info("log.size_unknown", stream=STREAM, error=str(error) or type(error).__name__)
        else:
            used, budget = info.state.bytes, info.config.max_bytes or -1
            if budget > 0 and used >= _ALARM_AT * budget:
                _log.error("log.nearly_full", stream=STREAM, used_bytes=used, budget_bytes=budget)
        await asyncio.sleep(_LOOK_EVERY_S)
