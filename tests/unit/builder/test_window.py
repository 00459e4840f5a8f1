"""Bytes arrive once and in order whatever is lost on the way, and no sender is far ahead."""

from hypothesis import given
from hypothesis import strategies as st

from windlass_builder.domain.window import Incoming, Outgoing
from windlass_contracts.run_frames import WINDOW, Frame, FrameKind

PIECES = st.lists(st.binary(min_size=1, max_size=20), max_size=30)


@given(pieces=PIECES, lost=st.sets(st.integers(0, 30)), doubled=st.sets(st.integers(0, 30)))
def test_what_is_lost_is_sent_again_and_what_comes_twice_counts_once(
    pieces: list[bytes], lost: set[int], doubled: set[int]
) -> None:
    sender, receiver, got = Outgoing(), Incoming(), b""
    for number, piece in enumerate(pieces):
        frame = sender.next(FrameKind.OUT, piece)
        for _ in range(0 if number in lost else 2 if number in doubled else 1):
            got += receiver.fresh(frame)
        sender.take(receiver.next)
    for frame in sender.behind(receiver.next):
        got += receiver.fresh(frame)
    assert got == b"".join(pieces)


def test_a_sender_waits_once_a_window_is_under_way() -> None:
    sender, sent = Outgoing(), 0
    while sender.room:
        sender.next(FrameKind.OUT, b"x" * 1_000)
        sent += 1_000
    assert WINDOW <= sent < WINDOW + 1_000
    sender.take(1_000)
    assert sender.room


def test_what_has_arrived_is_forgotten_from_time_to_time() -> None:
    sender, forgot = Outgoing(), 0
    for _ in range(10_000):
        if not sender.room:
            sender.take(sender.sent)
        forgot += sender.forgets
        sender.next(FrameKind.OUT, b"x" * 1_000)
    assert forgot == 4, "10 MB in 10,000 frames"


def test_for_nobody_the_latest_is_kept() -> None:
    sender = Outgoing()
    for _ in range(1_000):
        sender.next(FrameKind.OUT, b"x" * 1_000)
    kept = sender.behind(0)
    assert kept[-1].end == 1_000_000
    assert WINDOW <= sum(len(frame.data) for frame in kept) <= WINDOW + 1_000


def test_nobody_takes_what_was_not_sent_and_input_ends_once_and_behind_its_last_byte() -> None:
    sender, receiver = Outgoing(), Incoming()
    sender.next(FrameKind.OUT, b"abc")
    sender.take(2**50)
    assert sender.taken == 3
    assert receiver.fresh(Frame(FrameKind.INPUT, 5, b"gap")) == b""
    assert receiver.fresh(Frame(FrameKind.INPUT, 0, b"ab")) == b"ab"
    assert not receiver.ends(Frame(FrameKind.END, 1))
    assert receiver.ends(Frame(FrameKind.END, 2))
    assert not receiver.ends(Frame(FrameKind.END, 2))
    assert receiver.fresh(Frame(FrameKind.INPUT, 2, b"late")) == b""
