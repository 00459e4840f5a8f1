"""The asking side: one operation at a time for each service, and a dead service told apart from a slow one."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from pydantic import ValidationError

from windlass_contracts.subjects import Service
from windlass_eventlog.buckets import Change, Entry, KeyValue
from windlass_eventlog.clock import Clock
from windlass_eventlog.errors import KeyChangedError, KeyTakenError
from windlass_eventlog.operations.answering import last_answer
from windlass_eventlog.operations.model import (
    WITHDRAWN,
    Answer,
    Done,
    Failed,
    Kind,
    Request,
    Silent,
    VolumeNamed,
    answer_key,
    request_key,
)

SILENCE = timedelta(seconds=15)
"""Without a sign of life for so long, a service is taken for dead: it beats every second while it is at work."""


class BusyError(Exception):
    """The service is at another operation."""

    def __init__(self, service: Service, request: Request) -> None:
        super().__init__(
            f"The {service} is at another operation: {request.kind}, for {request.by}, since {request.at:%H:%M:%S} UTC."
        )


@dataclass(frozen=True, slots=True)
class Asking:
    """Asks services, and follows what they say. Of two who ask at the same moment, one is told of the other."""

    bucket: KeyValue
    clock: Clock
    silence: timedelta = SILENCE
    fresh_id: Callable[[], UUID] = uuid4

    async def ask(
        self, service: Service, kind: Kind, by: str, project: UUID | None = None, volume: VolumeNamed | None = None
    ) -> Request:
        """Ask for an operation, of one project where it is named; it is not known yet whether anybody hears it.

        Raises:
            BusyError: the service is at another one.
            LogUnavailableError: the bucket did not answer.
        """
        while True:
            with suppress(KeyTakenError, KeyChangedError):  # somebody asked at the same moment: look at that
                return await self._asked(
                    service,
                    Request(id=self.fresh_id(), kind=kind, by=by, at=self.clock(), project=project, volume=volume),
                )

    async def _asked(self, service: Service, request: Request) -> Request:
        before = await self.bucket.entry(request_key(service))
        current = await self._current(service, before)
        if current is not None:
            raise BusyError(service, current)
        content = request.model_dump_json().encode()
        if before is None:
            await self.bucket.create(request_key(service), content)
        else:
            await self.bucket.update(request_key(service), content, before.revision)
        return request

    async def follow(self, service: Service, request: UUID) -> AsyncGenerator[Answer, None]:
        """Yield what the service says of a request, until its end; `Silent` is the end where it says nothing.

        Raises:
            LogUnavailableError, NotProvisionedError: the bucket cannot be read.
        """
        async with aclosing(self.bucket.watch(answer_key(service))) as changes:
            async for answer in _within(changes, self.silence, request):
                if answer is None:
                    await self._withdraw(service, request)
                    yield Answer(request=request, at=self.clock(), state=self._silent(service))
                    return
                yield answer
                if answer.is_last:
                    return

    async def outcome(
        self, service: Service, kind: Kind, by: str, project: UUID | None = None
    ) -> Done | Failed | Silent:
        """Ask for what takes a moment, and wait for its end.

        Raises:
            BusyError: the service is at another operation.
            LogUnavailableError, NotProvisionedError: the bucket cannot be read.
        """
        request = await self.ask(service, kind, by, project)
        async with aclosing(self.follow(service, request.id)) as answers:
            async for answer in answers:
                if isinstance(answer.state, Done | Failed | Silent):
                    return answer.state
        raise AssertionError  # it is followed until its end

    def _silent(self, service: Service) -> Silent:
        return Silent(
            reason=f"The {service} gave no sign of life for {self.silence.total_seconds():.0f} s.",
            remedy=f"See whether it runs, and its log (logs/{service}.log in the state folder); then ask again.",
        )

    async def _withdraw(self, service: Service, request: UUID) -> None:
        """Take back what nobody heard, so that it is not done at a time when nobody waits for it any more."""
        present = await self.bucket.entry(request_key(service))
        asked = _request(present)
        if present is not None and asked is not None and asked.id == request:
            with suppress(KeyChangedError):  # somebody asked for something else meanwhile
                await self.bucket.update(request_key(service), WITHDRAWN, present.revision)

    async def _current(self, service: Service, present: Entry | None) -> Request | None:
        """Return the request that the service is at, or is about to begin."""
        request = _request(present)
        if request is None:
            return None
        answer = last_answer(await self.bucket.get(answer_key(service)))
        if answer is None or answer.request != request.id:
            return request if self.clock() - request.at < self.silence else None
        return None if answer.is_last or self.clock() - answer.at >= self.silence else request


def _request(present: Entry | None) -> Request | None:
    try:
        return None if present is None else Request.model_validate_json(present.value)
    except ValidationError:
        return None


async def _within(
    changes: AsyncGenerator[Change, None], silence: timedelta, request: UUID
) -> AsyncGenerator[Answer | None, None]:
    """Yield what is answered to a request; None, and the end, where nothing was for too long."""
    loop = asyncio.get_running_loop()
    until = loop.time() + silence.total_seconds()
    while True:
        step = asyncio.ensure_future(anext(changes))
        try:
            done, _ = await asyncio.wait({step}, timeout=max(0.0, until - loop.time()))
        finally:
            if not step.done():
                step.cancel()
                await asyncio.wait({step})
        if not done:
            yield None
            return
        answer = last_answer(step.result().value)
        if answer is not None and answer.request == request:
            until = loop.time() + silence.total_seconds()
            yield answer
