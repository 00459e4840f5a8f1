"""A reader of server-sent events over real HTTP, as a page has it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from support.memory_gateway import MemoryGateway

HOST = "windlass.localhost:8080"


@dataclass(frozen=True)
class Message:
    """One message or, without data, a comment."""

    id: str = ""
    event: str = ""
    data: str = ""
    comment: str = ""


@dataclass
class Stream:
    """An open stream; `last` is the id of the latest message."""

    answer: httpx.Response
    last: str = ""
    _lines: AsyncIterator[str] = field(init=False)

    def __post_init__(self) -> None:
        self._lines = self.answer.aiter_lines()

    async def next(self) -> Message:
        """Return the next message; StopAsyncIteration at the end of the stream."""
        fields: dict[str, list[str]] = {}
        async for line in self._lines:
            if not line:
                return self._message(fields)
            name, _, value = line.partition(":")
            fields.setdefault(name or "comment", []).append(value.removeprefix(" "))
        raise StopAsyncIteration

    async def next_unnamed(self) -> Message:
        """Return the next message that a page would put in place."""
        while True:
            message = await self.next()
            if message.id:
                return message

    async def rest(self) -> list[Message]:
        """Return everything until the end of the stream."""
        found: list[Message] = []
        while True:
            try:
                found.append(await self.next())
            except StopAsyncIteration:
                return found

    def _message(self, fields: Mapping[str, list[str]]) -> Message:
        found = Message(**{name: "\n".join(values) for name, values in fields.items()})
        self.last = found.id or self.last
        return found


@asynccontextmanager
async def opened(
    gateway: MemoryGateway, url: str, path: str, *, last: str | None = None, cookies: dict[str, str] | None = None
) -> AsyncIterator[Stream]:
    """Yield the stream of a view."""
    headers = {"Host": HOST, "Accept": "text/html, text/event-stream", "HX-Request": "true"}
    if last is not None:
        headers["Last-Event-ID"] = last
    given = gateway.signed_in() if cookies is None else cookies
    async with (
        httpx.AsyncClient(base_url=url, headers=headers, cookies=given, timeout=60) as client,
        client.stream("GET", f"/live/{path}") as answer,
    ):
        yield Stream(answer)
