"""What the server sends, taken off the connection: a stream is read by thousands of messages at once.

The library makes an object of each message and wakes a task for it, which takes longer than reading the event in it.
Here whole messages of chosen subscriptions go to whoever takes them as the bytes that they are; everything else is left
to the library. Source: https://docs.nats.io/reference/reference-protocols/nats-protocol#hmsg
"""

import re
from collections.abc import Callable, Mapping

from nats.aio.client import Client
from nats.protocol.parser import AWAITING_MSG_PAYLOAD, CRLF_SIZE, Parser

Take = Callable[[bytes, bytes], None]
"""Gets a message's headers, with their first line, and its body, in the order in which the server sends them.

It is called while the connection is read: it keeps what it gets, and neither waits nor raises.
"""

_MESSAGE = re.compile(rb"HMSG \S+ (\d+) (\d+) (\d+)\r\n")


class TakingParser(Parser):
    """The library's, but for messages with headers of the subscriptions in `takers`, by their numbers."""

    def __init__(self, client: Client, takers: Mapping[int, Take]) -> None:
        super().__init__(client)
        self._takers = takers

    async def parse(self, data: bytes = b"") -> None:
        """Take what the server sent since, and hand over what is whole."""
        if self._takers:
            if self.state == AWAITING_MSG_PAYLOAD:
                missing = self.needed + CRLF_SIZE - len(self.buf)
                await super().parse(data[:missing])
                data = data[missing:]
            if self.state != AWAITING_MSG_PAYLOAD:
                data = self._taken_from(bytes(self.buf) + data)
                self.buf.clear()
                if self._begins_with_taken(data):
                    self.buf.extend(data)
                    return
        await super().parse(data)

    def _begins_with_taken(self, data: bytes) -> bool:
        """Tell whether data begins with a message for a taker."""
        line = _MESSAGE.match(data)
        return line is not None and int(line[1]) in self._takers

    def _taken_from(self, data: bytes) -> bytes:
        """Hand over all whole messages that data begins with, and return the rest."""
        position, size = 0, len(data)
        while (line := _MESSAGE.match(data, position)) is not None:
            take = self._takers.get(int(line[1]))
            body = line.end() + int(line[2])
            end = line.end() + int(line[3])
            if take is None or end + CRLF_SIZE > size:
                break
            take(data[line.end() : body], data[body:end])
            position = end + CRLF_SIZE
        return data[position:]
