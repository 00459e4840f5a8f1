"""Frames are what they were, and nothing that a stranger sends is taken for one that it is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass_contracts.run_frames import LARGEST_DATA, Frame, FrameError, FrameKind, Size, decode_frame
from windlass_contracts.run_values import Console, RunOrder, read_order

BYTES = st.sampled_from([FrameKind.INPUT, FrameKind.OUT, FrameKind.ERR])


@given(kind=BYTES, offset=st.integers(0, 2**53), data=st.binary(min_size=1, max_size=300))
def test_what_was_encoded_is_decoded(kind: FrameKind, offset: int, data: bytes) -> None:
    assert decode_frame(Frame(kind, offset, data).encode()) == Frame(kind, offset, data)


@given(raw=st.binary(max_size=60))
def test_whatever_comes_is_a_frame_or_refused(raw: bytes) -> None:
    try:
        frame = decode_frame(raw)
    except FrameError:
        return
    assert frame.encode() == raw


def test_sizes_ends_and_comings_are_what_they_were() -> None:
    size, here = Frame.of_size(Size(40, 132)), Frame.here(7, 9, b"m" * 16)
    assert decode_frame(size.encode()).size == Size(40, 132)
    assert (decode_frame(here.encode()).base, here.mark, here.offset) == (9, b"m" * 16, 7)
    assert decode_frame(here.welcome(3).encode()) == Frame(FrameKind.WELCOME, 3, b"m" * 16)
    assert Frame(FrameKind.OUT, 10, b"abcdef").behind(13) == Frame(FrameKind.OUT, 13, b"def")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"i",
        b"?" + bytes(8),
        b"i" + bytes(8),  # nothing typed
        b"i" + b"\xff" * 8 + b"x",  # an offset that nobody reaches
        b"i" + bytes(8) + b"x" * (LARGEST_DATA + 1),
        b"e" + bytes(8) + b"x",
        b"s" + bytes(8) + bytes(4),  # no rows, no columns
        b"s" + bytes(8) + b"\xff" * 4,  # 65,535 of each
        b"s" + bytes(8) + bytes(3),
        b"h" + bytes(8) + bytes(8),
    ],
)
def test_what_is_no_frame_is_refused(raw: bytes) -> None:
    with pytest.raises(FrameError):
        decode_frame(raw)


@pytest.mark.parametrize("line", ["echo 'a b'\n\"c\" $(d)", "{}", '{"line": "x"}', "ü" * 1_000])
def test_a_line_is_stored_as_itself_and_with_a_console_found_again(line: str) -> None:
    assert RunOrder(line=line).stored() == line
    assert read_order(line) == RunOrder(line=line)
    order = RunOrder(line=line, console=Console(terminal=True, rows=30, columns=90, detached=True))
    assert read_order(order.stored()) == order
