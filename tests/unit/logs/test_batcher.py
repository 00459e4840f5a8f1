"""Lines are numbered without gap, and cut into batches that a message can carry."""

from hypothesis import given
from hypothesis import strategies as st

from windlass_contracts.logs import MAX_LINE_BYTES, MAX_LINES, LogBatch, LogLine
from windlass_eventlog.logs.batcher import BATCH_BYTES, BUFFER_LINES, Batcher, cut

LINES = st.lists(st.builds(LogLine, time_ns=st.integers(0, 10), text=st.text(max_size=5)), max_size=700)
LARGE = LogLine(time_ns=1, text="x" * MAX_LINE_BYTES)


def drained(batcher: Batcher) -> list[LogBatch]:
    batches = []
    while not batcher.empty:
        batches.append(batcher.take())
    return batches


@given(LINES, st.integers(0, 1_000))
def test_every_line_comes_out_once_and_in_order_and_keeps_its_number(lines: list[LogLine], first: int) -> None:
    batcher = Batcher("web", first)
    numbers = []
    for line in lines:
        numbers.append(batcher.next_line)
        batcher.add(line)

    batches = drained(batcher)

    assert [line for batch in batches for line in batch.lines] == lines
    assert [batch.first + place for batch in batches for place in range(len(batch.lines))] == numbers
    assert numbers == list(range(first, first + len(lines)))
    assert all(len(batch.lines) <= MAX_LINES for batch in batches)


def test_a_batch_of_large_lines_is_cut_before_it_becomes_too_large_for_a_message() -> None:
    batcher = Batcher("web", 0)
    for _ in range(20):
        batcher.add(LARGE)

    batches = drained(batcher)

    assert [len(batch.lines) for batch in batches] == [8, 8, 4]
    assert all(sum(len(line.text) for line in batch.lines) <= BATCH_BYTES for batch in batches)


def test_a_full_batch_is_known_by_lines_and_by_bytes() -> None:
    by_lines, by_bytes = Batcher("web", 0), Batcher("web", 0)
    for _ in range(MAX_LINES):
        assert not by_lines.holds_a_full_batch
        by_lines.add(LogLine(time_ns=0, text=""))
    for _ in range(8):
        assert not by_bytes.holds_a_full_batch
        by_bytes.add(LARGE)

    assert by_lines.holds_a_full_batch
    assert by_bytes.holds_a_full_batch


def test_the_buffer_is_full_by_lines_and_by_bytes_and_has_room_again_after_a_batch_was_taken() -> None:
    by_lines, by_bytes = Batcher("web", 0), Batcher("web", 0)
    for _ in range(BUFFER_LINES):
        by_lines.add(LogLine(time_ns=0, text=""))
    for _ in range(64):
        by_bytes.add(LARGE)

    for batcher in (by_lines, by_bytes):
        assert batcher.full
        batcher.take()
        assert not batcher.full


@given(st.integers(MAX_LINE_BYTES - 60, MAX_LINE_BYTES + 10), st.text(max_size=40))
def test_a_line_that_is_cut_fits_and_says_how_much_is_missing(length: int, end: str) -> None:
    text = "x" * length + end

    short = cut(text)

    assert len(short.encode()) <= MAX_LINE_BYTES
    if short != text:
        kept, missing = short.rsplit(" [", 1)
        assert text.startswith(kept)
        assert int(missing.removesuffix(" bytes cut]")) == len(text.encode()) - len(kept.encode())


def test_a_line_that_fits_is_left_as_it_is() -> None:
    assert cut("ä" * (MAX_LINE_BYTES // 2)) == "ä" * (MAX_LINE_BYTES // 2)
