"""The keeper: notices what somebody does to streams and consumers from outside, and puts it right, without anybody.

It runs beside the services, as the user who may make consumers; they may not. It hears of changes by the server's
advisories, and looks for itself twice a minute, for an advisory may be lost. A consumer that is made anew goes on
behind what was acknowledged when the keeper last saw it: nothing is lost, and what comes again does no harm. Events
and values are never made anew: an empty stream would look like a log that is whole.
"""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NoReturn

import nats.errors
import structlog
from nats.aio.msg import Msg
from nats.js import api
from nats.js.errors import NotFoundError

from windlass_contracts.subjects import STREAM
from windlass_eventlog.errors import ProvisioningError
from windlass_eventlog.jetstream import desired
from windlass_eventlog.jetstream.connection import Connection
from windlass_eventlog.jetstream.consumers import ensure_consumer, make_consumer
from windlass_eventlog.jetstream.streams import correct_stream
from windlass_eventlog.topology import DURABLES, Durable

ADVISORIES = (
    f"$JS.EVENT.ADVISORY.CONSUMER.DELETED.{STREAM}.*",
    f"$JS.EVENT.ADVISORY.CONSUMER.CREATED.{STREAM}.*",
    "$JS.EVENT.ADVISORY.STREAM.DELETED.*",
    "$JS.EVENT.ADVISORY.STREAM.CREATED.*",
    "$JS.EVENT.ADVISORY.STREAM.UPDATED.*",
)
"""After these, everything is looked at."""

API_ADVISORY = "$JS.EVENT.ADVISORY.API"
"""What was asked of the server: the only word of a consumer that was changed."""

ALARMS = (
    f"$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.{STREAM}.*",
    f"$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.{STREAM}.*",
)
"""Wake-ups that were dropped. Services acknowledge or postpone: nothing of ours ever makes the server say this."""

_LOOK_EVERY_S = 30.0
_AGAIN_AFTER_S = 1.0
_FILES_GONE_AFTER_S = 1.0
"""The server says that a consumer is deleted before its files are: one that is made at once loses its own."""
_LOST = (
    f"The stream {STREAM} is gone, and with it all that happened here. Restore it from a backup while NATS runs, before"
    f" Windlass is started again: `nats stream restore {STREAM} FOLDER`. It is not made anew by itself: an empty log"
    " would be taken for a true one."
)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A consumer as it was: when it was made, and up to where everything was acknowledged."""

    created: datetime | None
    floor: int


@dataclass(slots=True)
class Keeper:
    """Looks after the streams and consumers of one installation."""

    link: Connection
    _seen: dict[str, _Seen] = field(default_factory=dict)
    _stream_created: datetime | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _missing: set[str] = field(default_factory=set)
    _lost: dict[str, int] = field(default_factory=dict)

    async def run(self) -> NoReturn:
        """Keep everything as this release wants it, for ever.

        Raises:
            nats.errors.Error: the advisories cannot be subscribed to.
        """
        for subject in ADVISORIES:
            await self.link.client.subscribe(subject, cb=self._heard)
        for subject in ALARMS:
            await self.link.client.subscribe(subject, cb=self._alarmed)
        await self.link.client.subscribe(API_ADVISORY, cb=self._asked)
        with self.link.on_reconnect(self._changed.set):
            while True:
                self._changed.clear()
                pause = _LOOK_EVERY_S if await self._tried() else _AGAIN_AFTER_S
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):  # not wait_for, which may swallow a cancellation
                        await self._changed.wait()

    async def look(self) -> None:
        """Put right what is not as it should be.

        Raises:
            nats.errors.Error, OSError: the server did not answer.
        """
        for config in desired.streams():
            await self._look_at_stream(config)
        if STREAM not in self._missing:
            for durable in DURABLES:
                await self._look_at_consumer(durable)

    async def _tried(self) -> bool:
        try:
            await self.look()
        except ProvisioningError as error:
            _log.critical("keeper.cannot_correct", why=str(error))
        except (nats.errors.Error, OSError) as error:
            _log.warning("keeper.unanswered", error=str(error) or type(error).__name__)
            return False
        return True

    async def _look_at_stream(self, wanted: api.StreamConfig) -> None:
        name = str(wanted.name)
        try:
            info = await self.link.jetstream.stream_info(name)
        except NotFoundError:
            if name not in self._missing:
                self._missing.add(name)
                _log.critical("stream.lost", stream=name, way_out=_LOST if name == STREAM else _way_out(name))
            return
        self._missing.discard(name)
        if name == STREAM and info.created != self._stream_created:
            self._stream_created = info.created
            self._seen.clear()  # what was acknowledged in another stream means nothing here
        if (change := await correct_stream(self.link.jetstream, info.config, wanted)) is not None:
            _log.error("stream.corrected", stream=name, details=change.details)

    async def _look_at_consumer(self, durable: Durable) -> None:
        seen = self._seen.get(durable.name)
        try:
            info = await self.link.jetstream.consumer_info(STREAM, durable.name)
        except NotFoundError:
            await asyncio.sleep(_FILES_GONE_AFTER_S)
            await self._make_anew(durable, seen, "deleted")
            return
        if seen is not None and info.created != seen.created:
            await self._replace(durable, seen, "made by somebody else")
            return
        if (lost := self._lost.pop(durable.name, None)) is not None:
            await self._replace(durable, _Seen(None, lost - 1), f"done with sequence {lost}, which nobody dealt with")
            return
        floor = 0 if info.ack_floor is None else int(info.ack_floor.stream_seq)
        self._seen[durable.name] = seen = _Seen(info.created, floor)
        try:
            change = await ensure_consumer(self.link.jetstream, durable)
        except ProvisioningError:
            await self._replace(durable, seen, "changed into what it cannot be brought back from")
            return
        if change is not None:
            _log.error("consumer.corrected", consumer=durable.name, details=change.details)

    async def _replace(self, durable: Durable, seen: _Seen, why: str) -> None:
        with suppress(NotFoundError):
            await self.link.jetstream.delete_consumer(STREAM, durable.name)
        await self._make_anew(durable, seen, why)

    async def _make_anew(self, durable: Durable, seen: _Seen | None, why: str) -> None:
        first = 1 if seen is None else seen.floor + 1
        info = await make_consumer(self.link.jetstream, durable, first)
        self._seen[durable.name] = _Seen(info.created, first - 1)
        _log.error("consumer.made_anew", consumer=durable.name, why=f"it was {why}", first_sequence=first)

    async def _heard(self, _: Msg) -> None:
        self._changed.set()

    async def _asked(self, message: Msg) -> None:
        """Look, where somebody else than this connection asked for a change of a consumer."""
        told = _document(message)
        subject, client = str(told.get("subject", "")), told.get("client", {})
        own = isinstance(client, dict) and client.get("name") == self.link.name
        if subject.startswith("$JS.API.CONSUMER.") and not own and _changes(subject):
            self._changed.set()

    async def _alarmed(self, message: Msg) -> None:
        """Say aloud that a wake-up was dropped, and have it, and those behind it, delivered again."""
        told = _document(message)
        consumer, sequence = str(told.get("consumer")), told.get("stream_seq")
        kind = str(told.get("type", "")).rpartition(".")[2]
        _log.critical("wakeup.lost", kind=kind, consumer=consumer, stream=STREAM, sequence=sequence)
        if isinstance(sequence, int):
            self._lost[consumer] = min(sequence, self._lost.get(consumer, sequence))
            self._changed.set()


async def keep(link: Connection) -> NoReturn:
    """Look after the streams and consumers of the server that the connection leads to, for ever."""
    await Keeper(link).run()


def _changes(subject: str) -> bool:
    return not subject.startswith(("$JS.API.CONSUMER.INFO.", "$JS.API.CONSUMER.LIST.", "$JS.API.CONSUMER.NAMES."))


def _document(message: Msg) -> dict[str, Any]:
    try:
        told = json.loads(message.data)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _way_out(stream: str) -> str:
    return (
        f"Restore it with `nats stream restore {stream} FOLDER` from a backup; without one, start Windlass again:"
        " it is made anew, empty."
    )
