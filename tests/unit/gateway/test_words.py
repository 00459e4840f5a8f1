"""Ages and durations in words."""

from datetime import UTC, datetime, timedelta

import pytest

from windlass_gateway.entrypoints.pages.words import age, duration, until

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-3, "just now"),
        (4, "just now"),
        (5, "5 s ago"),
        (60, "1 min ago"),
        (3_599, "59 min ago"),
        (7_200, "2 h ago"),
        (86_400, "1 d ago"),
        (31 * 86_400, "2026-01-29"),
    ],
)
def test_an_age_has_one_unit_and_becomes_a_date_after_a_month(seconds: int, said: str) -> None:
    assert age(NOW - timedelta(seconds=seconds), NOW) == said


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [(0, "0 ms"), (999, "999 ms"), (1_250, "1.2 s"), (60_000, "1 min 0 s"), (3_720_000, "1 h 2 min")],
)
def test_a_duration_has_as_many_digits_as_help(milliseconds: int, said: str) -> None:
    assert duration(milliseconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-60, "now"), (4, "now"), (5, "in 5 s"), (599, "in 9 min"), (7_200, "in 2 h"), (31 * 86_400, "in 31 d")],
)
def test_a_moment_to_come_is_never_said_to_be_over(seconds: int, said: str) -> None:
    assert until(NOW + timedelta(seconds=seconds), NOW) == said
