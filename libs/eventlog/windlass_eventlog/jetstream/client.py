"""A client of NATS that can be cancelled at every moment, reads headers fast, and hands over messages unread."""

import asyncio
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from windlass_eventlog.jetstream.headers import parsed
from windlass_eventlog.jetstream.parser import Take, TakingParser


class CancelableClient(Client):
    """The library waits by `asyncio.wait_for`, which swallows a cancellation that comes together with the answer.

    Source: https://github.com/python/cpython/issues/86296, mended in Python 3.12.
    """

    def __init__(self) -> None:
        super().__init__()
        self._takers: dict[int, Take] = {}
        self._ps = TakingParser(self, self._takers)

    async def request(self, *args: Any, **options: Any) -> Msg:  # noqa: ANN401 - as the library's own
        """Ask, and end with the cancellation where there was one.

        Raises:
            CancelledError: the task was cancelled; whether the question was answered is not told.
        """
        task = asyncio.current_task()
        before = task.cancelling() if task is not None else 0
        answer = await super().request(*args, **options)
        if task is not None and task.cancelling() > before:
            raise asyncio.CancelledError
        return answer

    async def subscribe_unread(self, subject: str, take: Take) -> Subscription:
        """Have messages handed over as they are; end it by `unsubscribe_unread`."""
        subscription = await self.subscribe(subject)
        self._takers[subscription._id] = take  # noqa: SLF001 - the library tells the number nowhere else
        return subscription

    async def unsubscribe_unread(self, subscription: Subscription) -> None:
        """Hand over nothing any more."""
        del self._takers[subscription._id]  # noqa: SLF001 - as above
        if not self.is_closed:
            await subscription.unsubscribe()

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes | None) -> None:
        # Those that the parser leaves to the library: without headers, with a reply, or begun before they were wanted.
        if (take := self._takers.get(sid)) is None:
            await super()._process_msg(sid, subject, reply, data, headers)  # type: ignore[arg-type] # it may be None
        else:
            take(headers or b"", data)

    @staticmethod
    def _parse_header_lines(raw: bytes) -> dict[str, str]:
        # Where a later release of the library has no such method, its own reading is used again: slower, and as right.
        return parsed(raw)
