"""When what died is started again."""

from hypothesis import given
from hypothesis import strategies as st

from windlass.up.backoff import HEALTHY_SECONDS, LONGEST_SECONDS, Backoff

SHORT = st.floats(min_value=0, max_value=HEALTHY_SECONDS, exclude_max=True)


def test_the_delay_doubles_from_a_tenth_of_a_second_to_half_a_minute() -> None:
    backoff, delays = Backoff(), []
    for _ in range(11):
        backoff = backoff.after_death(ran_for=0)
        delays.append(backoff.delay)

    assert delays == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]


@given(st.lists(SHORT, max_size=2000))
def test_no_delay_is_longer_than_half_a_minute_or_shorter_than_the_one_before(lives: list[float]) -> None:
    backoff = Backoff()
    for life in lives:
        following = backoff.after_death(life)
        assert backoff.delay <= following.delay <= LONGEST_SECONDS
        backoff = following


@given(st.integers(min_value=0, max_value=100), st.floats(min_value=HEALTHY_SECONDS, max_value=1e9))
def test_who_ran_for_ten_seconds_starts_from_the_beginning(failures: int, ran_for: float) -> None:
    assert Backoff(failures).after_death(ran_for) == Backoff(failures=1)
