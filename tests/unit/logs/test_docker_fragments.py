"""Lines are joined from the 16 KiB fragments that a Docker engine makes of them."""

from hypothesis import given
from hypothesis import strategies as st

from windlass_logs.adapters.docker import _FRAGMENT, _Assembler
from windlass_logs.application.log_source import Position, Stream

STAMP = b"2026-11-24T03:05:59.263919646Z "
NANOSECOND = 1_795_489_559_263_919_646


def fragments(line: bytes, *, ended: bool) -> list[bytes]:
    """Cut as the engine does; its driver `local` leaves out the line end after a line that it had to cut."""
    pieces = [line[start : start + _FRAGMENT] for start in range(0, len(line), _FRAGMENT)] or [b""]
    if len(line) and len(line) % _FRAGMENT == 0:
        pieces.append(b"")
    if len(pieces) == 1 or ended:
        pieces[-1] += b"\n"
    return [STAMP + piece for piece in pieces]


@given(st.lists(st.integers(0, 3 * _FRAGMENT), max_size=5), st.booleans())
def test_lines_of_any_length_come_back_whole(lengths: list[int], ended: bool) -> None:  # noqa: FBT001 - drawn
    assembler = _Assembler()
    written = [bytes([97 + number]) * length for number, length in enumerate(lengths)]
    sent = [fragment for line in written for fragment in fragments(line, ended=ended)]
    lines = [line for fragment in sent if (line := assembler.add(Stream.OUT, fragment))]
    assert [line.data for line in lines] == written
    assert [line.position for line in lines] == [Position(NANOSECOND, number) for number in range(len(written))]


def test_fragments_of_two_streams_are_not_mixed() -> None:
    assembler = _Assembler()
    assert assembler.add(Stream.OUT, STAMP + b"o" * _FRAGMENT) is None
    assert assembler.add(Stream.ERR, STAMP + b"e" * _FRAGMENT) is None
    out = assembler.add(Stream.OUT, STAMP + b"o")
    err = assembler.add(Stream.ERR, STAMP + b"e")
    assert out is not None
    assert err is not None
    assert (out.data, err.data) == (b"o" * (_FRAGMENT + 1), b"e" * (_FRAGMENT + 1))
