"""Minutes are summed up into hours and days, whatever comes when, and what is kept stays small."""

from collections import defaultdict
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass_contracts.series import Resolution, Series, Sum, series_of, written
from windlass_monitor.domain.series import recent, rolled

NOW = 29_000_000
COLUMNS = b'{"minutes": {"since": 7, "units": [0], "probes": [2], "bad": [%b], "total_ms": [5], "worst_ms": [5]}}'
MINUTES_A_DAY = 1_440
ages = st.one_of(st.integers(-5, 400), st.integers(-200_000, 200_000))


@st.composite
def sums(draw: st.DrawFn) -> Sum:
    probes = draw(st.integers(1, 36))
    bad = draw(st.integers(0, probes))
    if bad == probes:
        return Sum(probes, bad)
    times = draw(st.lists(st.integers(0, 5_000), min_size=probes - bad, max_size=probes - bad))
    return Sum(probes, bad, sum(times), max(times))


news = st.lists(st.tuples(ages, sums()), max_size=60).map(lambda told: [(NOW - age, one) for age, one in told])


def in_turn(told: list[tuple[int, Sum]]) -> Series:
    series = Series()
    for minute, one in told:
        series = rolled(series, {minute: one}, NOW)
    return series


@given(told=news)
def test_each_unit_holds_exactly_what_was_probed_in_it_whatever_came_first(told: list[tuple[int, Sum]]) -> None:
    series = in_turn(told)

    for resolution in Resolution:
        size = resolution.unit_s // 60
        expected: defaultdict[int, Sum] = defaultdict(Sum)
        for minute, one in told:
            if NOW // size - resolution.kept < minute // size <= NOW // size:
                expected[minute // size] = expected[minute // size].plus(one)
        assert series.of(resolution) == expected


@given(told=news.flatmap(st.permutations), data=st.data())
def test_nothing_depends_on_the_order_or_on_how_much_comes_at_once(
    told: list[tuple[int, Sum]], data: st.DataObject
) -> None:
    distinct = dict(told)
    again = data.draw(st.permutations(list(distinct.items())))

    assert in_turn(again) == rolled(Series(), distinct, NOW)


@given(told=news, steps=st.lists(st.integers(0, 300_000), max_size=8))
def test_what_is_kept_is_bounded_however_time_goes(told: list[tuple[int, Sum]], steps: list[int]) -> None:
    series = Series()
    for step in steps:
        series = rolled(series, {minute + step: one for minute, one in told}, NOW + step)
        assert all(len(series.of(one)) <= one.kept for one in Resolution)
    assert len(recent(dict(told), NOW)) <= Resolution.MINUTES.kept


@given(told=news)
def test_a_minute_without_a_probe_is_no_good_one_and_no_bad_one(told: list[tuple[int, Sum]]) -> None:
    series = in_turn(told)

    assert all(one.probes > 0 for resolution in Resolution for one in series.of(resolution).values())
    assert series.minutes.keys() <= {minute for minute, _ in told}


@given(told=news)
def test_what_was_written_is_read(told: list[tuple[int, Sum]]) -> None:
    assert series_of(written(in_turn(told))) == in_turn(told)


def test_a_year_of_probes_by_three_containers_takes_a_few_kibibytes() -> None:
    one = Sum(36, 2, 34 * 120, 1_900)
    day = reduce(Sum.plus, [one] * MINUTES_A_DAY)
    full = Series(
        {NOW - age: one for age in range(180)},
        {NOW // 60 - age: reduce(Sum.plus, [one] * 60) for age in range(168)},
        {NOW // MINUTES_A_DAY - age: day for age in range(90)},
    )

    assert len(written(full)) < 12 * 1_024
    assert rolled(full, {NOW + 1: one}, NOW + 1).minutes.keys() == {NOW + 1 - age for age in range(180)}


def test_a_clock_that_was_ahead_takes_nothing_with_it() -> None:
    ahead = NOW + 365 * MINUTES_A_DAY
    wrong = rolled(rolled(Series(), {NOW: Sum(12)}, NOW), {ahead: Sum(12)}, ahead)

    right = rolled(wrong, {NOW + 1: Sum(12, 1)}, NOW + 1)

    assert right.minutes == {NOW + 1: Sum(12, 1)}
    assert all(max(right.of(one)) <= (NOW + 1) * 60 // one.unit_s for one in Resolution)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"minutes": 3}',
        b'{"hours": {"units": [0]}}',
        COLUMNS % b"-1",
        COLUMNS % b'"x"',
        COLUMNS % b"0.5",
    ],
)
def test_what_is_no_series_is_not_read(content: bytes) -> None:
    assert series_of(content) is None


def test_what_a_later_release_adds_is_passed_over() -> None:
    later = (COLUMNS % b"1")[:-2] + b', "zone": "x"}, "years": []}'

    assert series_of(later) == Series(minutes={7: Sum(2, 1, 5, 5)})
