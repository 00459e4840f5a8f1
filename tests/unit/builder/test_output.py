"""Lines are whole, whatever fragments they arrive in."""

from hypothesis import given
from hypothesis import strategies as st

from windlass_builder.adapters.output import LONGEST_LINE, LineAssembler
from windlass_builder.domain.workloads import OutputStream


@given(st.lists(st.tuples(st.sampled_from(OutputStream), st.binary())))
def test_no_byte_is_lost_and_streams_are_not_mixed(fragments: list[tuple[OutputStream, bytes]]) -> None:
    assembler = LineAssembler()
    lines = [line for stream, fragment in fragments for line in assembler.feed(stream, fragment)]
    lines += assembler.rest()
    for wanted in OutputStream:
        written = b"".join(fragment for stream, fragment in fragments if stream is wanted)
        expected = [line.removesuffix(b"\r") for line in written.split(b"\n")[:-1]]
        unfinished = written.rpartition(b"\n")[2]
        expected += [unfinished] if unfinished else []
        assert [line.data for line in lines if line.stream is wanted] == expected


def test_line_without_end_is_cut_where_memory_would_grow_without_end() -> None:
    assembler = LineAssembler()
    [first] = assembler.feed(OutputStream.STDOUT, b"x" * (LONGEST_LINE + 5))
    [rest] = assembler.rest()
    assert (len(first.data), rest.data) == (LONGEST_LINE, b"xxxxx")
