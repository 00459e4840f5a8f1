"""A build may print what it likes: what is kept of it is bounded, readable, and ends as the build ended."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from windlass_builder.adapters.output import LineAssembler
from windlass_builder.domain.flood import Bounds, Flood
from windlass_builder.domain.workloads import OutputStream

SMALL = Bounds(per_s=5, at_once=10, in_all=40)


@given(st.lists(st.tuples(st.integers(0, 60), st.floats(0, 5)), max_size=40))
def test_every_line_is_shown_or_counted_and_no_more_are_shown_than_may_be(fragments: list[tuple[int, float]]) -> None:
    flood, at, written, counted, shown = Flood(SMALL), 0.0, 0, 0, list[int]()
    for count, pause in fragments:
        at += pause
        left_out, passing = flood.passing([b"%d" % number for number in range(written, written + count)], at)
        written += count
        counted += left_out
        shown += map(int, passing)
        assert not passing or int(passing[0]) == counted + len(shown) - len(passing), "what is left out is said where"
    assert len(shown) <= min(SMALL.in_all, SMALL.at_once + at * SMALL.per_s)
    left_out, last = flood.rest()
    assert len(shown) + counted + left_out + len(last) == written
    assert [*shown, *map(int, last)][-20:] == sorted([*shown, *map(int, last)])[-20:]
    assert not last or int(last[-1]) == written - 1


def test_long_lines_count_for_as_much_as_they_hold() -> None:
    left_out, passing = Flood(SMALL).passing([b"x" * 4_096, b"y" * 4_096, b"z"], 0)
    assert (left_out, len(passing)) == (0, 2)


def test_end_of_a_flood_is_told_with_how_much_was_left_out() -> None:
    assembler = LineAssembler(Flood(SMALL))
    lines = list(assembler.feed(OutputStream.STDERR, b"".join(b"%d\n" % number for number in range(100))))
    assert [line.data for line in lines] == [b"%d" % number for number in range(10)]
    rest = list(assembler.rest())
    assert [line.data for line in rest] == [b"%d" % number for number in range(80, 100)]
    assert [line.left_out for line in rest] == [70] + [0] * 19
    assert {line.stream for line in rest} == {OutputStream.STDERR}
    assert rest[0].time <= datetime.now(UTC)
