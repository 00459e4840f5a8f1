"""What reaches a terminal is text and colours, whatever an app or a name contains."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.terminal import age, coloured, duration, plain

HOSTILE = st.text(st.sampled_from("\x1b[];?0123456789mKHJ\x07\\ab \x00\x9b\r\n\u202e"), max_size=60) | st.text(
    max_size=60
)


@given(HOSTILE)
def test_plain_text_controls_nothing(text: str) -> None:
    assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u202a-\u202e]", plain(text))


@given(HOSTILE)
def test_coloured_text_holds_nothing_but_colours(text: str) -> None:
    rest = re.sub(r"\x1b\[[0-9;:]*m", "", coloured(text))
    assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u202a-\u202e]", rest)


@given(HOSTILE)
def test_a_line_with_colours_ends_without_them(text: str) -> None:
    shown = coloured(text)
    assert "\x1b" not in shown or shown.endswith("\x1b[0m")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m\x1b[0m"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("50%\tdone\r100%", "50%\tdone100%"),
    ],
)
def test_colours_stay_and_other_sequences_go(text: str, shown: str) -> None:
    assert coloured(text) == shown


@pytest.mark.parametrize(
    ("milliseconds", "shown"), [(None, "-"), (0, "0 ms"), (999, "999 ms"), (1_000, "1.0 s"), (125_000, "2 min 5 s")]
)
def test_durations_read_as_people_say_them(milliseconds: int | None, shown: str) -> None:
    assert duration(milliseconds) == shown


def test_a_moment_in_the_future_is_now() -> None:
    assert age("2999-01-01T00:00:00Z") == "0 s"
