"""Headers of messages: read as the library reads them, whatever somebody wrote."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from nats.aio.client import Client

from windlass_eventlog.jetstream.client import CancelableClient
from windlass_eventlog.jetstream.headers import parsed

PARTS = st.sampled_from(
    [
        b"Nats-Msg-Id",
        b"X",
        b":",
        b" ",
        b"\t",
        b"\r\n",
        b"\r",
        b"\n",
        b"\x85",
        b"\xc2\xa0",
        b"\xff",
        "é".encode(),
        b"\x1c",
    ]
)


@given(st.lists(PARTS | st.binary(max_size=4)).map(b"".join))
@example(b"Nats-Sequence: 7\r\nWindlass-Type:build.started.v1\r\nNats-Msg-Id: \xff\r\n\r\n")
@example(b"Na me: 1\r\n : 2\r\n:3\r\nno colon\r\nA: 1\r\nA: 2\r\n\xc3\xa9: 4\r\n")
@example(b"\x1cA: \x1c1\x1c\r\n\xc2\xa0B: \xc2\xa02\xc2\xa0")
def test_headers_are_what_the_library_makes_of_them(block: bytes) -> None:
    assert parsed(block) == Client._parse_header_lines(block)


async def test_a_client_reads_a_message_by_our_own_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("windlass_eventlog.jetstream.client.parsed", lambda block: {"read": block.decode()})

    assert await CancelableClient()._process_headers(b"NATS/1.0\r\nA: 1\r\n\r\n") == {"read": "A: 1\r\n\r\n"}
