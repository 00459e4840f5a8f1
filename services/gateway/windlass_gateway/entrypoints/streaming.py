"""Answers that go on: one JSON document a line, until the end, an error, or the gateway stops."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from windlass_eventlog.errors import EventLogError
from windlass_gateway.application.access import Caller
from windlass_gateway.domain.refusals import TokenEndedError
from windlass_gateway.entrypoints.context import ACaller, AContext, Context
from windlass_gateway.entrypoints.problems import problem_of

MEDIA_TYPE = "application/x-ndjson"

T = TypeVar("T")


class StreamProblem(BaseModel):
    """The last line of a stream that broke off."""

    problem: object


@dataclass(frozen=True, slots=True)
class Lines:
    """Answers a request with one line for each item, until the gateway stops or the caller may not read on."""

    shared: Context
    caller: Caller

    def answer(self, lines: AsyncGenerator[BaseModel, None]) -> StreamingResponse:
        return StreamingResponse(_encoded(self._permitted(lines)), media_type=MEDIA_TYPE)

    async def _permitted(self, lines: AsyncGenerator[BaseModel, None]) -> AsyncGenerator[BaseModel, None]:
        gateway = self.shared.gateway
        with gateway.endings.of(self.caller, gateway.clock()) as ended:
            async with aclosing(until(ended, until(self.shared.closing, lines))) as permitted:
                async for line in permitted:
                    yield line
        if ended.is_set():
            yield StreamProblem(problem=problem_of(TokenEndedError()))


def lines(shared: AContext, asking: ACaller) -> Lines:
    """Return what answers the request line by line."""
    return Lines(shared, asking)


ALines = Annotated[Lines, Depends(lines)]


async def _encoded(lines: AsyncGenerator[BaseModel, None]) -> AsyncIterator[bytes]:
    async with aclosing(lines):
        try:
            async for line in lines:
                yield line.model_dump_json(exclude_none=True).encode() + b"\n"
        except EventLogError as error:
            # The status was sent long ago: what happened can only be said at the end of the stream.
            yield StreamProblem(problem=problem_of(error)).model_dump_json().encode() + b"\n"


async def until(closing: asyncio.Event, items: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """Yield the items until there are no more, or `closing` is set, whichever is first."""
    closed = asyncio.ensure_future(closing.wait())
    step: asyncio.Future[T] | None = None
    try:
        while True:
            step = asyncio.ensure_future(anext(items))
            await asyncio.wait({step, closed}, return_when=asyncio.FIRST_COMPLETED)
            if not step.done():
                return
            try:
                item = step.result()
            except StopAsyncIteration:
                return
            yield item
    finally:
        closed.cancel()
        if step is not None and not step.done():
            step.cancel()
            await asyncio.wait({step})
        await items.aclose()
