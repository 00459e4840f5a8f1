"""What asking and answering do, whatever keeps the bucket. The tests of each adapter subclass these."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import pytest

from windlass_contracts.subjects import Service
from windlass_eventlog.background import background
from windlass_eventlog.buckets import KeyValue
from windlass_eventlog.clock import utc_now
from windlass_eventlog.errors import CannotVerifyError
from windlass_eventlog.operations import (
    Answer,
    Answering,
    Asking,
    BusyError,
    Done,
    Failed,
    Kind,
    Operation,
    Rebuilt,
    Report,
    Request,
    Result,
    Running,
    Silent,
)
from windlass_eventlog.operations import answering as answering_module

ACTOR = "token:test"
REBUILT = Rebuilt(sequence=7, seconds=0.1)


async def at_once(report: Report) -> Result:
    del report
    return REBUILT


class Held:
    """An operation that waits until it is let go."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.times = 0

    async def __call__(self, report: Report) -> Result:
        self.times += 1
        report("folds events", 3, 7)
        self.begun.set()
        await self.go_on.wait()
        return REBUILT


async def refused(report: Report) -> Result:
    del report
    raise CannotVerifyError("The engine does not answer.")


async def broken(report: Report) -> Result:
    del report
    raise ZeroDivisionError


def answering(bucket: KeyValue, operation: Operation) -> AbstractAsyncContextManager[None]:
    """Be the router, for as long as the block lasts."""
    return background(Answering(Service.ROUTER, bucket, {Kind.REBUILD: operation}, utc_now).run())


async def ended(asking: Asking, request: Request) -> Answer:
    async with asyncio.timeout(60):
        return [answer async for answer in asking.follow(Service.ROUTER, request.id)][-1]


@asynccontextmanager
async def following(asking: Asking, request: Request) -> AsyncIterator["asyncio.Future[list[Answer]]"]:
    async def follow() -> list[Answer]:
        return [answer async for answer in asking.follow(Service.ROUTER, request.id)]

    task = asyncio.ensure_future(follow())
    yield task
    async with asyncio.timeout(60):
        await task


class OperationsContract:
    @pytest.fixture
    def asking(self, bucket: KeyValue) -> Asking:
        return Asking(bucket, utc_now)

    async def test_what_is_asked_for_is_done_and_answered(self, bucket: KeyValue, asking: Asking) -> None:
        async with answering(bucket, at_once):
            for _ in range(2):
                request = await asking.ask(Service.ROUTER, Kind.REBUILD, ACTOR)
                answer = await ended(asking, request)
                assert (answer.request, answer.state) == (request.id, Done(result=REBUILT))

    async def test_what_was_asked_for_before_the_service_came_is_done(self, bucket: KeyValue, asking: Asking) -> None:
        request = await asking.ask(Service.ROUTER, Kind.REBUILD, ACTOR)
        async with answering(bucket, at_once):
            assert (await ended(asking, request)).state == Done(result=REBUILT)

    async def test_progress_is_told_until_the_end(self, bucket: KeyValue, asking: Asking) -> None:
        held = Held()
        async with answering(bucket, held):
            request = await asking.ask(Service.ROUTER, Kind.REBUILD, ACTOR)
            async with following(asking, request) as telling:
                await held.begun.wait()
                await _told(bucket, request, Running(doing="folds events", done=3, total=7))
                held.go_on.set()
            states = [answer.state for answer in telling.result()]
        assert Running(doing="folds events", done=3, total=7) in states
        assert states[-1] == Done(result=REBUILT)

    async def test_a_second_operation_is_refused_with_who_is_at_the_first(
        self, bucket: KeyValue, asking: Asking
    ) -> None:
        held = Held()
        async with answering(bucket, held):
            request = await asking.ask(Service.ROUTER, Kind.REBUILD, ACTOR)
            with pytest.raises(BusyError, match="router is at another operation: rebuild, for token:test"):
                await asking.ask(Service.ROUTER, Kind.VERIFY, "token:other")
            await held.begun.wait()
            with pytest.raises(BusyError):
                await asking.ask(Service.ROUTER, Kind.VERIFY, "token:other")
            await asking.ask(Service.LOGS, Kind.VERIFY, "token:other")
            held.go_on.set()
            await ended(asking, request)
            await asking.ask(Service.ROUTER, Kind.REBUILD, ACTOR)

    async def test_of_many_who_ask_at_the_same_moment_one_is_heard(self, bucket: KeyValue) -> None:
        gateways = [Asking(bucket, utc_now) for _ in range(4)]
        asked = await asyncio.gather(
            *(one.ask(Service.ROUTER, Kind.REBUILD, ACTOR) for one in gateways), return_exceptions=True
        )
        assert [type(one) for one in asked].count(BusyError) == 3

    async def test_a_failure_is_answered_and_the_service_lives_on(self, bucket: KeyValue, asking: Asking) -> None:
        for operation, reason in ((refused, "The engine does not answer."), (broken, "ZeroDivisionError")):
            async with answering(bucket, operation):
                for _ in range(2):
                    request = await asking.ask(Service.ROUTER, Kind.REBUILD, ACTOR)
                    state = (await ended(asking, request)).state
                    assert isinstance(state, Failed)
                    assert reason in state.reason

    async def test_a_service_that_was_killed_at_it_says_so_once_it_is_back(
        self, bucket: KeyValue, asking: Asking
    ) -> None:
        held = Held()
        async with answering(bucket, held):
            request = await asking.ask(Service.ROUTER, Kind.REBUILD, ACTOR)
            await held.begun.wait()
            await _told(bucket, request, Running(doing="folds events", done=3, total=7))
        async with answering(bucket, held):
            state = (await ended(asking, request)).state
            assert isinstance(state, Failed)
            assert "router was started anew while it was at it" in state.reason
            assert held.times == 1
            held.go_on.set()
            assert isinstance((await ended(asking, await asking.ask(Service.ROUTER, Kind.REBUILD, ACTOR))).state, Done)

    async def test_a_service_without_a_sign_of_life_is_named(self, bucket: KeyValue) -> None:
        asking = Asking(bucket, utc_now, silence=timedelta(seconds=0.2))
        request = await asking.ask(Service.ROUTER, Kind.REBUILD, ACTOR)
        state = (await ended(asking, request)).state
        assert isinstance(state, Silent)
        assert "router gave no sign of life" in state.reason
        assert "logs/router.log" in state.remedy

        held = Held()
        async with answering(bucket, held):
            await asking.ask(Service.ROUTER, Kind.REBUILD, ACTOR)
            await held.begun.wait()
        assert held.times == 1  # what nobody waits for any more is not done

    async def test_a_slow_service_is_not_taken_for_a_dead_one(
        self, bucket: KeyValue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(answering_module, "BEAT_S", 0.2)
        asking, held = Asking(bucket, utc_now, silence=timedelta(seconds=2)), Held()
        async with answering(bucket, held):
            request = await asking.ask(Service.ROUTER, Kind.REBUILD, ACTOR)
            async with following(asking, request) as telling, aclosing(bucket.watch("answer.router")) as changes:
                async for change in changes:
                    answer = Answer.model_validate_json(change.value or b"")
                    if answer.at - request.at > 1.1 * asking.silence:
                        break
                held.go_on.set()
            assert telling.result()[-1].state == Done(result=REBUILT)

    async def test_what_nobody_can_read_stops_nothing(self, bucket: KeyValue, asking: Asking) -> None:
        await bucket.put("request.router", b"\xff{")
        await bucket.put("answer.router", b"[]")
        async with answering(bucket, at_once):
            request = await asking.ask(Service.ROUTER, Kind.REBUILD, ACTOR)
            assert (await ended(asking, request)).state == Done(result=REBUILT)
            unknown = Request(id=uuid4(), kind=Kind.VERIFY, by=ACTOR, at=utc_now())
            await bucket.put("request.router", unknown.model_dump_json().encode())
            assert isinstance((await ended(asking, unknown)).state, Failed)


async def _told(bucket: KeyValue, request: Request, state: Running) -> None:
    async with asyncio.timeout(60), aclosing(bucket.watch("answer.router")) as changes:
        async for change in changes:
            answer = Answer.model_validate_json(change.value or b"")
            if answer.request == request.id and answer.state == state:
                return
