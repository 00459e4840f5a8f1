"""What the server sends, cut anywhere: whole messages reach whoever takes them, everything else the library."""

import asyncio
from dataclasses import dataclass, field

from hypothesis import example, given
from hypothesis import strategies as st
from nats.aio.client import Client

from windlass_eventlog.jetstream.client import CancelableClient
from windlass_eventlog.jetstream.parser import TakingParser
from windlass_eventlog.jetstream.stored import Stored

TAKEN, OTHER = 7, 8
HEADERS = b"NATS/1.0\r\nA: 1\r\n\r\n"


@dataclass
class Peer:
    """What reached the library, and what a taker, in order."""

    client: CancelableClient = field(default_factory=CancelableClient)
    seen: list[tuple[object, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        async def dispatched(sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes | None) -> None:
            del subject
            if (take := self.client._takers.get(sid)) is None:
                self.seen.append(("library", sid, reply, headers or b"", data))
            else:
                take(headers or b"", data)

        async def pinged() -> None:
            self.seen.append(("ping",))

        self.client._process_msg = dispatched  # type: ignore[method-assign]
        self.client._process_ping = pinged  # type: ignore[method-assign]
        self.client._takers[TAKEN] = lambda headers, data: self.seen.append(("taker", headers, data))

    async def hear(self, parts: list[bytes]) -> None:
        for part in parts:
            await self.client._ps.parse(part)


def with_headers(sid: int, body: bytes, reply: bytes = b"") -> bytes:
    sizes = b"%d %d" % (len(HEADERS), len(HEADERS) + len(body))
    return b"HMSG _INBOX.a %d %s%s\r\n%s%s\r\n" % (sid, reply, sizes, HEADERS, body)


BODIES = st.binary(max_size=30) | st.sampled_from([b"", b"HMSG _INBOX.a 7 3 3\r\nabc\r\n", b"PING\r\n"])
SENT = (
    st.builds(lambda body: (with_headers(TAKEN, body), ("taker", HEADERS, body)), BODIES)
    | st.builds(lambda body: (with_headers(TAKEN, body, b"r.1 "), ("taker", HEADERS, body)), BODIES)
    | st.builds(lambda body: (with_headers(OTHER, body), ("library", OTHER, b"", HEADERS, body)), BODIES)
    | st.builds(lambda body: (b"MSG a 7 %d\r\n%s\r\n" % (len(body), body), ("taker", b"", body)), BODIES)
    | st.just((b"PING\r\n", ("ping",)))
)


@given(st.lists(SENT, max_size=12), st.lists(st.integers(1, 60), max_size=30))
@example([(with_headers(TAKEN, b"x"), ("taker", HEADERS, b"x"))] * 3, [3, 20, 1, 30])
def test_every_message_arrives_once_and_in_order_wherever_the_stream_is_cut(
    sent: list[tuple[bytes, tuple[object, ...]]], cuts: list[int]
) -> None:
    stream, parts = b"".join(frame for frame, _ in sent), []
    for size in cuts:
        parts.append(stream[:size])
        stream = stream[size:]
    peer = Peer()

    asyncio.run(peer.hear([*parts, stream]))

    assert peer.seen == [expected for _, expected in sent]


def test_the_library_parses_by_our_parser() -> None:
    assert isinstance(CancelableClient()._ps, TakingParser)
    assert type(Client()._ps) is TakingParser.__base__, "where the library keeps its parser, ours stands"


ADDED = (
    b"Nats-Stream: EVENTS\r\nNats-Subject: evt.a\r\nNats-Sequence: 7\r\nNats-Time-Stamp: 2026-03-01T12:00:00Z\r\n"
    b"Nats-Num-Pending: 3\r\nNats-Last-Sequence: 6\r\n\r\n"
)


def test_an_answered_message_is_read_with_its_own_headers_apart_from_what_the_server_adds() -> None:
    message = Stored.answered(b"NATS/1.0\r\nNats-Msg-Id: x\r\nWindlass-Type: y\r\n" + ADDED, b"{}")

    assert message == Stored(
        7, "evt.a", {"Nats-Msg-Id": "x", "Windlass-Type": "y"}, b"{}", "2026-03-01T12:00:00Z", to_come=3, previous=6
    )


def test_a_message_without_headers_of_its_own_has_none() -> None:
    assert Stored.answered(b"NATS/1.0\r\n" + ADDED, b"").headers == {}


def test_who_published_a_message_does_not_say_where_it_stands() -> None:
    forged = b"Nats-Stream: OTHER\r\nNats-Subject: evt.b\r\nNats-Sequence: 1\r\nNats-Time-Stamp: 1970\r\n"

    message = Stored.answered(b"NATS/1.0\r\n" + forged + ADDED, b"")

    assert (message.sequence, message.subject, message.time) == (7, "evt.a", "2026-03-01T12:00:00Z")


def test_headers_that_another_server_adds_in_another_order_are_understood() -> None:
    lines = ADDED.removesuffix(b"\r\n\r\n").split(b"\r\n")
    block = b"NATS/1.0\r\nNats-Msg-Id: x\r\n" + b"\r\n".join(reversed(lines)) + b"\r\n\r\n"

    assert Stored.answered(block, b"") == Stored(
        7, "evt.a", {"Nats-Msg-Id": "x"}, b"", "2026-03-01T12:00:00Z", to_come=3, previous=6
    )
