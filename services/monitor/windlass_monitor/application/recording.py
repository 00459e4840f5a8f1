"""Keeps the series of environments: once a minute, of those that were probed, and when the monitor ends in order."""

import asyncio
from dataclasses import dataclass
from typing import NoReturn

import structlog

from windlass_contracts.series import Resolution, Series, series_key, series_of, written
from windlass_eventlog.buckets import KeyValue
from windlass_eventlog.errors import EventLogError
from windlass_monitor.application.answering import Place
from windlass_monitor.application.samples import Samples
from windlass_monitor.domain.series import rolled

_LAST_WORDS_S = 2.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Recording:
    """Adds to what the bucket holds. Nothing is decided by it, so that nothing about it ends the monitor."""

    bucket: KeyValue
    samples: Samples

    async def run(self) -> NoReturn:
        """Store until cancelled, and then what is left."""
        try:
            while True:
                await asyncio.sleep(Resolution.MINUTES.unit_s)
                await self.store()
        finally:
            await self._last()

    async def store(self) -> None:
        """Store all there is; what cannot be stored now is kept for later."""
        for place in self.samples.places:
            try:
                await self._add(place)
            except EventLogError as error:
                _log.warning("series.not_stored", waiting=len(self.samples.places), why=str(error))
                return

    async def _add(self, place: Place) -> None:
        key = series_key(*place)
        sums = self.samples.take(place)
        try:
            content = await self.bucket.get(key)
            known = None if content is None else series_of(content)
            if content is not None and known is None:
                _log.error("series.unreadable", key=key)
            await self.bucket.put(key, written(rolled(known or Series(), sums, self.samples.now)))
        except BaseException:
            self.samples.give_back(place, sums)
            raise

    async def _last(self) -> None:
        try:
            async with asyncio.timeout(_LAST_WORDS_S):
                await self.store()
        except TimeoutError:
            _log.warning("series.not_stored", waiting=len(self.samples.places), why="NATS was away at the end")
