"""Subject patterns mean what they mean to NATS."""

import pytest

from windlass_eventlog.patterns import matches


@pytest.mark.parametrize(
    ("pattern", "subject", "fits"),
    [
        ("evt.>", "evt.a", True),
        ("evt.>", "evt.a.b.c", True),
        ("evt.>", "evt", False),
        ("evt.>", "event.a", False),
        ("evt.*.b", "evt.a.b", True),
        ("evt.*.b", "evt.a.c", False),
        ("evt.*.b", "evt.a.b.c", False),
        ("evt.*.b", "evt.a", False),
        ("evt.*.*.>", "evt.a.b", False),
        ("evt.*.*.>", "evt.a.b.c", True),
        ("a.b", "a.b", True),
        ("a.b", "a", False),
    ],
)
def test_a_pattern_fits_what_nats_says_it_fits(pattern: str, subject: str, fits: bool) -> None:  # noqa: FBT001 - a table
    assert matches(pattern, subject) is fits
