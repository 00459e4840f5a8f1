"""Which way a command runs follows from what is piped; what is typed arrives once; `~.` leaves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.commands.run_console import Mode, Wanted, mode_of
from windlass.conversation import Typed
from windlass.keyboard import Escape, Kind
from windlass_contracts.run_frames import WINDOW, FrameKind


@pytest.mark.parametrize(
    ("wanted", "stdin", "stdout", "mode"),
    [
        (Wanted(), Kind.TERMINAL, Kind.TERMINAL, Mode.TERMINAL),
        (Wanted(), Kind.FILE, Kind.TERMINAL, Mode.BYTES),  # psql < dump.sql
        (Wanted(), Kind.TERMINAL, Kind.FILE, Mode.BYTES),  # pg_dump > file
        (Wanted(), Kind.TERMINAL, Kind.OTHER, Mode.BYTES),  # pg_dump | gzip
        (Wanted(), Kind.NOTHING, Kind.FILE, Mode.BYTES),  # the same by cron
        (Wanted(), Kind.NOTHING, Kind.OTHER, Mode.LINES),  # automation that keeps its output
        (Wanted(no_input=True), Kind.OTHER, Kind.OTHER, Mode.LINES),
        (Wanted(no_input=True), Kind.TERMINAL, Kind.TERMINAL, Mode.LINES),
        (Wanted(raw=True), Kind.NOTHING, Kind.OTHER, Mode.BYTES),
        (Wanted(terminal=True), Kind.OTHER, Kind.OTHER, Mode.TERMINAL),
    ],
)
def test_what_is_piped_decides(wanted: Wanted, stdin: Kind, stdout: Kind, mode: Mode) -> None:
    assert mode_of(wanted, stdin, stdout) is mode


@pytest.mark.parametrize(
    ("keys", "passed", "then"),
    [
        (b"ls\r", b"ls\r", "stays"),
        (b"~.", b"", "leaves"),
        (b"ls\r~.more", b"ls\r", "leaves"),
        (b"~~.\r", b"~.\r", "stays"),
        (b"a~.", b"a~.", "stays"),
        (b"cd ~/x\r", b"cd ~/x\r", "stays"),
        (b"~/x\r", b"~/x\r", "stays"),
    ],
)
@pytest.mark.parametrize("at_once", [1, 100])
def test_a_tilde_and_a_dot_at_the_beginning_of_a_line_leave(
    keys: bytes, passed: bytes, then: str, at_once: int
) -> None:
    escape, got = Escape(), b""
    for start in range(0, len(keys), at_once):
        if not escape.left:
            got += escape.passed(keys[start : start + at_once])
    assert (got, escape.left) == (passed, then == "leaves")


@given(pieces=st.lists(st.binary(min_size=1, max_size=50), max_size=20), broken=st.integers(0, 500))
def test_what_was_typed_arrives_once_though_the_connection_is_lost(pieces: list[bytes], broken: int) -> None:
    typed, got = Typed(), b""
    typed.begin_again(0)
    for piece in pieces:
        typed.add(piece)
        frame = typed.next()
        if frame is not None and frame.end <= broken:  # else it is lost with the connection
            got += frame.data
            typed.take(frame.end)
    typed.ended = True
    typed.begin_again(len(got))
    while (frame := typed.next()) is not None and frame.kind is FrameKind.INPUT:
        got += frame.data
    assert got == b"".join(pieces)
    assert frame is not None
    assert frame.offset == len(got), "the end comes behind the last byte"
    assert typed.next() is None


def test_no_more_than_a_window_is_under_way() -> None:
    typed, sent = Typed(), 0
    typed.begin_again(0)
    typed.add(b"x" * (WINDOW + 5))
    while (frame := typed.next()) is not None:
        sent += len(frame.data)
    assert sent == WINDOW
    typed.take(3)
    assert typed.next() is not None


def test_who_comes_to_a_command_for_the_first_time_types_behind_what_others_typed() -> None:
    typed = Typed()
    typed.add(b"early")
    typed.begin_again(100)
    frame = typed.next()
    assert frame is not None
    assert (frame.offset, frame.data) == (100, b"early")
