"""Apps of all kinds on real sockets, and what a probe makes of them."""

import socket
from collections.abc import Callable

import pytest

from support.loopback_app import LoopbackApp, http
from windlass_contracts.config import CommandProbe, HttpProbe, Probe, TcpProbe
from windlass_monitor.adapters.prober import StreamProber
from windlass_monitor.application.prober import Target
from windlass_monitor.domain.outcomes import (
    Answered,
    Connected,
    NoAnswer,
    NotHttp,
    NotListening,
    Outcome,
    Unreachable,
    Unsupported,
)

PATIENT = HttpProbe(timeout_ms=60_000)
HASTY = HttpProbe(timeout_ms=100)


async def outcome(app: LoopbackApp, probe: Probe = PATIENT) -> Outcome:
    async with app.listening() as port:
        return await StreamProber().probe(Target("127.0.0.1", port), probe)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (http(200), 200),
        (http(204), 204),
        (http(302, "Location: http://169.254.169.254/\r\n"), 302),
        (http(500), 500),
        (http(999), 999),
        (b"HTTP/1.0 200 OK\n\n", 200),
        (b"HTTP/1.1 404\r\n\r\n", 404),
        (b"HTTP/1.1 200 \xff\xfe\r\n\r\n", 200),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + http(201), 201),
        (http(200) + b"x" * 5_000_000, 200),
        (b"HTTP/1.1 200 OK\r\n" + b"X-Filler: " + b"y" * 5_000_000, 200),
    ],
)
async def test_the_status_of_an_answer_is_what_counts(answer: bytes, status: int) -> None:
    answered = await outcome(LoopbackApp(answer))

    assert isinstance(answered, Answered)
    assert answered.status == status


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x15\x03\x01\x00\x02\x02\x50",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 200 O\rK\r\n\r\n",
        b"HTTP/1.1 200",
        b"<html>hello</html>",
        b"H" * 5_000_000,
        b"HTTP/1.1 200 " + b"O" * 5_000_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 100_000,
        b"HTTP/1.1 103 Early Hints\r\n" + b"Link: </a>\r\n" * 400_000,
    ],
    ids=range(13),
)
async def test_what_is_no_http_answer_is_told_from_a_bad_one(answer: bytes) -> None:
    assert await outcome(LoopbackApp(answer)) == NotHttp()


async def test_an_app_that_takes_the_connection_and_stays_silent_did_not_answer() -> None:
    assert await outcome(LoopbackApp(None), HASTY) == NoAnswer()


async def test_a_port_nobody_listens_on_is_told_from_an_address_that_cannot_be_reached(
    free_port: Callable[[], int],
) -> None:
    prober = StreamProber()

    assert await prober.probe(Target("127.0.0.1", free_port()), PATIENT) == NotListening()
    assert await prober.probe(Target("255.255.255.255", 80), PATIENT) == Unreachable()
    assert await prober.probe(Target("::ffff:0:0", 80), HASTY) in {Unreachable(), NotListening()}


@pytest.mark.parametrize("address", ["1234", "localhost", "dead:beef", "...", "127.0.0.1.nip.io"])
async def test_only_addresses_are_probed_and_no_name_is_looked_up(address: str) -> None:
    assert await StreamProber().probe(Target(address, 80), PATIENT) == Unreachable()


async def test_the_request_is_one_that_every_server_understands() -> None:
    app = LoopbackApp(http(200))
    await outcome(app, HttpProbe(path="/ready?full=1&x=%C3%A4"))

    (head,) = app.heads
    first, *headers = head.decode("ascii").split("\r\n")
    assert first == "GET /ready?full=1&x=%C3%A4 HTTP/1.1"
    assert "Host: localhost" in headers
    assert "Connection: close" in headers


async def test_a_redirect_is_not_followed() -> None:
    elsewhere = LoopbackApp(http(200))
    async with elsewhere.listening() as port:
        await outcome(LoopbackApp(http(302, f"Location: http://127.0.0.1:{port}/\r\n")))

    assert elsewhere.heads == []


async def test_a_tcp_probe_is_content_with_a_connection() -> None:
    assert isinstance(await outcome(LoopbackApp(None), TcpProbe()), Connected)


async def test_a_port_that_is_bound_but_not_listening_yet_is_closed() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        target = Target("127.0.0.1", bound.getsockname()[1])

        assert await StreamProber().probe(target, PATIENT) == NotListening()


async def test_a_command_probe_is_said_to_be_unsupported() -> None:
    assert await StreamProber().probe(Target("127.0.0.1", 80), CommandProbe(command="true")) == Unsupported()
