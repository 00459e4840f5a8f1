"""A client of NATS that can be cancelled at every moment, and reads headers fast."""

import asyncio
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg

from windlass_eventlog.jetstream.headers import parsed


class CancelableClient(Client):
    """The library waits by `asyncio.wait_for`, which swallows a cancellation that comes together with the answer.

    Source: https://github.com/python/cpython/issues/86296, mended in Python 3.12.
    """

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

    @staticmethod
    def _parse_header_lines(raw: bytes) -> dict[str, str]:
        # Where a later release of the library has no such method, its own reading is used again: slower, and as right.
        return parsed(raw)
