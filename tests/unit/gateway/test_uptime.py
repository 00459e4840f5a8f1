"""What a page says of a series: figures, a line, bars, and the same in words."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from windlass_contracts.series import Series, Sum, series_key, written
from windlass_eventlog.memory.buckets import MemoryKeyValue
from windlass_gateway.application.uptimes import Uptimes
from windlass_gateway.domain.uptime import percent, uptime
from windlass_gateway.entrypoints.pages.sparkline import COLUMN, bars, milliseconds, share, sparkline

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
NOW = int(NOON.timestamp()) // 60
WELL, BROKEN = Sum(12, 0, 240, 90), Sum(12, 12)


def of(minutes: dict[int, Sum] | None = None, **rest: dict[int, Sum]) -> Series:
    return Series({NOW - age: one for age, one in (minutes or {}).items()}, **rest)


def test_the_figures_are_of_a_day_a_week_and_a_quarter() -> None:
    hours = {NOW // 60 - age: Sum(720, 72 if age >= 24 else 0) for age in range(168)}
    days = {NOW // 1_440 - age: Sum(17_280, 17_280 if age == 89 else 0) for age in range(90)}

    found = uptime(Series({}, hours, days), NOW)

    assert [share(one) for one in (found.day, found.week, found.quarter)] == ["100 %", "91.42 %", "98.88 %"]


def test_a_single_bad_probe_is_never_rounded_away() -> None:
    assert percent(Sum(10_000_000, 1)) == 99.99
    assert share(Sum(10_000_000, 1)) == "99.99 %"
    assert share(Sum(12, 12)) == "0 %"
    assert share(Sum()) == "no data"


def test_the_line_is_broken_where_nobody_probed_and_where_nothing_was_good() -> None:
    drawn = sparkline(uptime(of({0: WELL, 1: WELL, 3: WELL, 30: WELL, 60: BROKEN}), NOW))

    assert drawn.line.count("M") == 2
    assert drawn.line.count("h.01") == 1, "a time by itself is a dot"
    assert drawn.bad.count("M") == 1
    assert drawn.words.startswith("Last 3 hours: 20 ms on average, 90 ms at worst; bad answers within 3 minutes")


def test_nothing_known_is_said_and_drawn_as_nothing() -> None:
    drawn = sparkline(uptime(Series(), NOW))
    strip = bars(uptime(Series(), NOW))

    assert (drawn.line, drawn.bad, drawn.mean) == ("", "", None)
    assert drawn.words == "No probes in the last 3 hours"
    assert (strip.good, strip.bad, strip.gaps.count("M")) == ("", "", 90)
    assert strip.words == "Last 90 days: 0 known, none of them with bad answers"


def test_a_day_is_good_slightly_bad_or_bad() -> None:
    today = NOW // 1_440
    strip = bars(uptime(Series({}, {}, {today: Sum(100), today - 1: Sum(100, 1), today - 2: Sum(100, 2)}), NOW))

    assert [one.count("M") for one in (strip.good, strip.slight, strip.bad, strip.gaps)] == [1, 1, 1, 87]


@given(
    minutes=st.dictionaries(
        st.integers(0, 200),
        st.builds(lambda good, bad, ms: Sum(good + bad, bad, good * ms, ms if good else 0),
                  st.integers(0, 40), st.integers(1, 40), st.integers(0, 60_000)),
        max_size=200,
    )
)  # fmt: skip
def test_whatever_was_probed_is_drawn_within_the_picture(minutes: dict[int, Sum]) -> None:
    drawn = sparkline(uptime(of(minutes), NOW))

    assert re.fullmatch(r"([ML][0-9.]+ [0-9.]+(h\.01)?)*", drawn.line)
    for x, y in re.findall(r"[ML]([0-9.]+) ([0-9.]+)", drawn.line):
        assert 0 <= float(x) <= drawn.width
        assert 0 <= float(y) <= drawn.height
    assert drawn.width == 60 * COLUMN


def test_times_are_said_as_short_as_they_can_be() -> None:
    assert [milliseconds(one) for one in (None, 0, 3.25, 42.4, 12_345)] == [None, "0.0 ms", "3.2 ms", "42 ms", "12.3 s"]


async def test_what_the_bucket_tells_is_at_hand_and_told_of_together() -> None:
    bucket, told = MemoryKeyValue(), asyncio.Queue[set[object]]()
    moment = NOON
    uptimes = Uptimes(clock=lambda: moment)
    project, environment, other = uuid4(), uuid4(), uuid4()
    await bucket.put(series_key(project, environment), written(of({0: WELL})))
    following = asyncio.create_task(uptimes.follow(bucket, lambda projects: told.put_nowait(set(projects))))
    try:
        await bucket.put("nonsense", b"{}")
        await bucket.put(series_key(project, other), b"unreadable")
        assert await told.get() == {project}

        first = uptimes.of(environment)
        assert first is not None
        assert first.columns[-1] == WELL
        assert uptimes.of(environment) is first, "it is read once for all"
        assert uptimes.of(other) is None

        moment += timedelta(minutes=3)
        later = uptimes.of(environment)
        assert later is not None
        assert (later.columns[-1], later.columns[-2]) == (None, WELL)

        await bucket.delete(series_key(project, environment))
        assert await told.get() == {project}
        assert uptimes.of(environment) is None
    finally:
        following.cancel()
