"""A lost stream made again from a copy of its messages: the same bytes, ids and sequences, stored at a new time."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from pathlib import Path

import nats.errors

from windlass_contracts.errors import MalformedSubjectError
from windlass_contracts.subjects import STREAM, Service, parse_subject
from windlass_eventlog.errors import LogUnavailableError, ProvisioningError
from windlass_eventlog.jetstream.connection import Connection, connection
from windlass_eventlog.jetstream.log import JetStreamLog
from windlass_eventlog.message import StoredMessage

_START_ANEW = f"Stop all services, delete {STREAM}, provision it anew, and restore it before any service starts."


async def restore(nats_url: str, parts: AsyncIterator[Sequence[StoredMessage]], seeds: Path | None = None) -> int:
    """Append messages to the stream, each at its own sequence, behind what is there; return the last sequence.

    Broken off, it goes on where it was: what is in the stream already is compared, and left out. Events are appended
    in the name of the service that they are of, by its seed `<service>.seed` in that folder; without a folder, by the
    user that the URL names.

    Raises:
        ProvisioningError: something else is in the stream, or was appended meanwhile, or the server refuses a message.
        NotProvisionedError: there is no stream.
        PermissionDeniedError: the server does not know a user, or a seed is missing.
        LogUnavailableError: the server does not answer.
    """
    async with AsyncExitStack() as opened:
        users = _Users(nats_url, seeds, opened)
        log = JetStreamLog(await users.link(Service.GATEWAY), "")
        there = await log.head()
        present = await opened.enter_async_context(aclosing(_present(log, there)))
        last = 0
        async for part in parts:
            for message in part:
                if message.sequence <= there:
                    _check_same(await anext(present), message)
                else:
                    await _append(users, message)
                last = message.sequence
    if there > last:
        msg = f"{STREAM} ends at sequence {there}, behind the copy, which ends at {last}. {_START_ANEW}"
        raise ProvisioningError(msg)
    return last


@dataclass(slots=True)
class _Users:
    """A connection for each service, or one that stands for all."""

    nats_url: str
    seeds: Path | None
    opened: AsyncExitStack
    links: dict[Service, Connection] = field(default_factory=dict)

    async def link(self, service: Service) -> Connection:
        known = service if self.seeds is not None else Service.GATEWAY
        if known not in self.links:
            seed = None if self.seeds is None else self.seeds / f"{service}.seed"
            name = "restorer" if seed is None else service
            self.links[known] = await self.opened.enter_async_context(connection(self.nats_url, name, seed))
        return self.links[known]


async def _present(log: JetStreamLog, head: int) -> AsyncGenerator[StoredMessage, None]:
    """Yield what the stream has already."""
    if head == 0:
        return
    async with aclosing(log.stretches(0)) as stretches:
        async for stretch in stretches:
            for message in stretch.messages:
                yield message


def _check_same(there: StoredMessage, copied: StoredMessage) -> None:
    parts = "subject", "headers", "body"
    if any(getattr(there, part) != getattr(copied, part) for part in parts):
        msg = f"{STREAM} has another event at sequence {copied.sequence} than the copy. {_START_ANEW}"
        raise ProvisioningError(msg)


def _service_of(subject: str) -> Service:
    try:
        return parse_subject(subject)[0]
    except MalformedSubjectError:  # somebody else's: only a user who may do everything put it there, or can do so again
        return Service.GATEWAY


async def _append(users: _Users, message: StoredMessage) -> None:
    """Append a message with all its headers: the condition under which it was appended holds once more."""
    link = await users.link(_service_of(message.subject))
    try:
        ack = await link.jetstream.publish(message.subject, message.body, headers=dict(message.headers))
    except nats.errors.Error as error:
        link.check_permitted()
        why = str(error) or type(error).__name__
        msg = f"NATS did not take sequence {message.sequence} of the copy ({why}). Mend that, and start it again."
        raise LogUnavailableError(msg) from error
    if ack.seq != message.sequence:
        msg = f"Sequence {message.sequence} of the copy stands at {ack.seq} of {STREAM} now. {_START_ANEW}"
        raise ProvisioningError(msg)
