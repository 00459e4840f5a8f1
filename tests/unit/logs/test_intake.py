"""What becomes of a line before it is stored."""

from hypothesis import given
from hypothesis import strategies as st

from windlass_contracts.logs import MAX_LINE_BYTES, LogLine
from windlass_eventlog.logs.intake import Intake
from windlass_eventlog.logs.port import RawLine
from windlass_eventlog.logs.redaction import MASK, Redaction
from windlass_eventlog.logs.throttle import Rate

SECOND = 1_000_000_000


def raw(data: bytes, time_ns: int = 0) -> RawLine:
    return RawLine(time_ns, "out", data)


def accepted(intake: Intake, lines: list[RawLine]) -> list[LogLine]:
    stored = [line for one in lines for line in intake.accept(one)]
    return [*stored, intake.suppression_note()] if intake.has_suppressed else stored


def test_bytes_that_are_no_utf_8_are_replaced() -> None:
    (line,) = Intake(Redaction([]), Rate()).accept(RawLine(7, "err", b"caf\xe9 ok"))

    assert line == LogLine(time_ns=7, stream="err", text="caf\ufffd ok")


def test_a_secret_is_replaced_before_the_line_is_cut() -> None:
    secret = "s3cret-" * 20
    line = b"x" * (MAX_LINE_BYTES - 60) + secret.encode() + b"y" * 100

    (stored,) = Intake(Redaction([secret]), Rate()).accept(raw(line))

    assert MASK in stored.text
    assert "s3cret" not in stored.text


def test_a_source_that_writes_too_much_is_left_out_until_the_bucket_is_half_full_again() -> None:
    intake = Intake(Redaction([]), Rate(lines_per_s=10, burst=4))
    flood = [raw(b"flood", 0) for _ in range(10)]
    later = [raw(b"a", SECOND // 10), raw(b"b", SECOND // 5)]

    lines = accepted(intake, [*flood, *later])

    assert [line.text for line in lines] == [
        *["flood"] * 4,
        "7 lines suppressed: more than 10 lines a second.",
        "b",
    ]
    assert lines[4] == LogLine(time_ns=SECOND // 10, stream="note", text=lines[4].text)


def test_lines_that_piled_up_while_nobody_read_them_are_not_left_out() -> None:
    intake = Intake(Redaction([]), Rate(lines_per_s=10, burst=1))

    assert len(accepted(intake, [raw(b"x", n * SECOND // 10) for n in range(1_000)])) == 1_000


def test_long_lines_use_up_more_of_the_rate() -> None:
    intake = Intake(Redaction([]), Rate(lines_per_s=1, burst=20))

    stored = accepted(intake, [raw(b"x" * 10 * 1024) for _ in range(3)])

    assert [line.stream for line in stored] == ["out", "note"]


@given(st.lists(st.integers(0, 3 * SECOND), max_size=60), st.integers(1, 5), st.integers(1, 8))
def test_every_line_is_either_stored_or_counted_in_a_note(times: list[int], rate: int, burst: int) -> None:
    intake = Intake(Redaction([]), Rate(lines_per_s=rate, burst=burst))

    stored = accepted(intake, [raw(b"x", time) for time in times])

    notes = [line for line in stored if line.stream == "note"]
    assert len(stored) - len(notes) + sum(int(note.text.split()[0]) for note in notes) == len(times)
