"""The answering side: a service does what it is asked to, one operation after the other, and says how far it is."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import NoReturn
from uuid import UUID

import structlog
from pydantic import ValidationError

from windlass_contracts.subjects import Service
from windlass_eventlog.buckets import KeyValue
from windlass_eventlog.clock import Clock
from windlass_eventlog.errors import EventLogError, LogUnavailableError
from windlass_eventlog.operations.model import (
    DELETING,
    Accepted,
    Answer,
    Done,
    Failed,
    Kind,
    Request,
    Result,
    Running,
    State,
    VolumeNamed,
    answer_key,
    request_key,
)

BEAT_S = 1.0
"""How often a service that is at work says so."""

_PROGRESS_AFTER_S = 0.1
_AGAIN_AFTER_S = 1.0

Report = Callable[[str, int, int], None]
"""Says what is being done, how much of it is done, and how much there is; 0 as long as nobody knows."""

Operation = Callable[[Report], Awaitable[Result]]


@dataclass(frozen=True, slots=True)
class OfProjects:
    """An operation on what projects have: on all of them, or on the one that is named."""

    run: Callable[[Report, UUID | None], Awaitable[Result]]

    def of(self, project: UUID | None) -> Operation:
        return lambda report: self.run(report, project)


@dataclass(frozen=True, slots=True)
class OfVolumes:
    """An operation on one volume of one project."""

    run: Callable[[Report, UUID, VolumeNamed], Awaitable[Result]]

    def of(self, request: Request) -> Operation | None:
        """Return it for what was asked for; None where that names no volume."""
        project, volume = request.project, request.volume
        return None if project is None or volume is None else lambda report: self.run(report, project, volume)


_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Telling:
    """What is said of one operation while it is under way: the latest of it, and at least once a second."""

    answer: Callable[[State], Awaitable[None]]
    _state: State = field(default_factory=Accepted)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    def report(self, doing: str, done: int, total: int) -> None:
        self._state = Running(doing=doing, done=done, total=total)
        self._news.set()

    @asynccontextmanager
    async def telling(self) -> AsyncIterator[None]:
        """Tell while the block lasts. It ends by a word and not by being cancelled, which a send may swallow."""
        task = asyncio.create_task(self._tell())
        try:
            yield
        finally:
            self._over.set()
            self._news.set()
            await task

    async def _tell(self) -> None:
        while not self._over.is_set():
            self._news.clear()
            try:
                await self.answer(self._state)
            except LogUnavailableError as away:  # the next beat says it
                _log.warning("operation.unsaid", why=str(away))
            await _within(self._over, _PROGRESS_AFTER_S)
            await _within(self._news, BEAT_S - _PROGRESS_AFTER_S)


async def _within(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, for so long at most."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


@dataclass(frozen=True, slots=True)
class Answering:
    """One service's operations.

    What a service was at when it ended is answered with a failure once it is back: nobody waits for ever. All
    operations but those that delete change nothing before their end.
    """

    service: Service
    bucket: KeyValue
    operations: Mapping[Kind, Operation | OfProjects | OfVolumes]
    clock: Clock

    async def run(self) -> NoReturn:
        """Do what is asked for, until cancelled.

        Raises:
            NotProvisionedError: the bucket is gone.
        """
        async with aclosing(self.bucket.watch(request_key(self.service))) as changes:
            async for change in changes:
                if change.value:
                    await self._take(change.value)
        raise AssertionError  # a watch ends by an error only

    async def _take(self, content: bytes) -> None:
        try:
            request = Request.model_validate_json(content)
        except ValidationError as error:
            _log.error("operation.unreadable", service=self.service, why=str(error))
            return
        before = await self._last()
        if before is None or before.request != request.id:
            await self._answer(request, await self._outcome(request))
        elif not before.is_last:
            kept = "what it deleted before is in the log" if request.kind in DELETING else "nothing was changed"
            reason = f"The {self.service} was started anew while it was at it; {kept}."
            await self._answer(request, Failed(reason=reason, remedy="Ask for it again."))

    async def _outcome(self, request: Request) -> State:
        operation = self._wanted(request)
        if isinstance(operation, Failed):
            return operation
        telling = _Telling(lambda state: self._say(request, state))
        _log.info("operation.begun", service=self.service, kind=request.kind, by=request.by)
        try:
            async with telling.telling():
                result = await operation(telling.report)
        except EventLogError as error:
            return Failed(reason=str(error), remedy=f"See the {self.service}'s own log, then ask for it again.")
        except Exception as error:  # noqa: BLE001 - whoever asked is told, and the service lives on
            _log.error("operation.failed", service=self.service, kind=request.kind, exc_info=error)
            reason = f"It met an error that nobody foresaw: {type(error).__name__}."
            return Failed(reason=reason, remedy=f"The {self.service}'s own log has the details.")
        return Done(result=result)

    def _wanted(self, request: Request) -> Operation | Failed:
        """Return the operation on what the request names, or why there is none."""
        operation = self.operations.get(request.kind)
        if isinstance(operation, OfProjects):
            return operation.of(request.project)
        if isinstance(operation, OfVolumes):
            operation = operation.of(request)
        elif operation is not None and request.project is not None:
            reason = f"The {self.service} does not {request.kind} for one project alone."
            return Failed(reason=reason, remedy="Ask for it without naming a project.")
        if operation is None:
            reason = f"The {self.service} knows no operation {request.kind}."
            return Failed(reason=reason, remedy="Use the command of the same release as the installation.")
        return operation

    async def _answer(self, request: Request, outcome: State) -> None:
        """Say how it ended, however long that takes."""
        _log.info("operation.ended", service=self.service, kind=request.kind, state=outcome.state)
        while True:
            try:
                await self._say(request, outcome)
            except LogUnavailableError as away:
                _log.warning("operation.unsaid", why=str(away))
                await asyncio.sleep(_AGAIN_AFTER_S)
            else:
                return

    async def _say(self, request: Request, state: State) -> None:
        answer = Answer(request=request.id, at=self.clock(), state=state)
        await self.bucket.put(answer_key(self.service), answer.model_dump_json().encode())

    async def _last(self) -> Answer | None:
        while True:
            try:
                return last_answer(await self.bucket.get(answer_key(self.service)))
            except LogUnavailableError as away:
                _log.warning("operation.unread", why=str(away))
                await asyncio.sleep(_AGAIN_AFTER_S)


def last_answer(content: bytes | None) -> Answer | None:
    """Return what a service said last; None where it said nothing, or nothing that this release can read."""
    try:
        return None if content is None else Answer.model_validate_json(content)
    except ValidationError:
        return None
