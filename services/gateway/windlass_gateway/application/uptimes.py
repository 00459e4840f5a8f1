"""What the monitor keeps of each environment, at hand for every page by one watch of the bucket."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import NoReturn
from uuid import UUID

import structlog

from windlass_contracts.series import Resolution, Series, series_of
from windlass_eventlog.buckets import Change, KeyValue
from windlass_eventlog.clock import Clock, utc_now
from windlass_gateway.domain.uptime import Uptime, uptime

_TOGETHER_S = 1.0
"""The monitor stores all that changed within a minute in one go."""

_log = structlog.get_logger(__name__)

Told = Callable[[set[UUID]], None]


@dataclass(slots=True)
class Uptimes:
    """The series as they are written; what one says is read once for all who look within a minute."""

    clock: Clock = utc_now
    _written: dict[UUID, bytes] = field(default_factory=dict)
    _read: dict[UUID, Uptime] = field(default_factory=dict)
    _minute: int = 0

    def series(self, environment: UUID) -> Series | None:
        """Return all that is kept of an environment; None where nothing was ever probed there."""
        content = self._written.get(environment)
        return None if content is None else series_of(content)

    def of(self, environment: UUID) -> Uptime | None:
        """Return what the series says now; None where there is none."""
        minute = int(self.clock().timestamp()) // Resolution.MINUTES.unit_s
        if minute != self._minute:
            self._read.clear()
            self._minute = minute
        known = self._read.get(environment)
        if known is None and (series := self.series(environment)) is not None:
            known = self._read[environment] = uptime(series, minute)
        return known

    async def follow(self, bucket: KeyValue, told: Told) -> NoReturn:
        """Listen for ever, and tell of whose projects there is news, a moment later.

        Raises:
            NotProvisionedError: the bucket is gone.
        """
        news: set[UUID] = set()
        loop = asyncio.get_running_loop()

        def tell() -> None:
            told(set(news))
            news.clear()

        async with aclosing(bucket.watch()) as changes:
            async for change in changes:
                project = self.take(change)
                if project is not None and not news:
                    loop.call_later(_TOGETHER_S, tell)
                news.update([] if project is None else [project])
        raise AssertionError  # a watch ends by an error only

    def take(self, change: Change) -> UUID | None:
        """Keep what is there now, and return the project that it is about; None where it is about none."""
        try:
            project, environment = map(UUID, change.key.split("."))
        except ValueError:
            _log.error("series.foreign", key=change.key)
            return None
        self._read.pop(environment, None)
        if change.value is None:
            self._written.pop(environment, None)
        elif series_of(change.value) is None:
            _log.error("series.unreadable", key=change.key)
        else:
            self._written[environment] = change.value
        return project
