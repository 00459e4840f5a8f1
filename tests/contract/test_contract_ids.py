"""Derived ids are the same on every machine and in every release, and different things get different ones."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass_contracts.ids import EnvironmentId, EventId, ProjectId, caused_event_id, deployment_id, derived, team_id

ONE = UUID("11111111-1111-4111-8111-111111111111")
TWO = UUID("22222222-2222-4222-8222-222222222222")
printable = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@pytest.mark.parametrize(
    ("made", "published"),
    [
        (derived(), "54b5091d-226c-5e5c-8495-b4e098a41245"),
        (derived("a"), "b0434bce-8773-5421-9107-9c1d7a07dd09"),
        (derived("ä", ONE), "e59a4ae0-da0c-5a63-8d32-880f44bdac9e"),
        (team_id("3f9c01ab"), "61d746c2-8702-5812-9511-38fc8a6241b4"),
        (deployment_id("delivery-1", ProjectId(ONE), EnvironmentId(TWO)), "814461c1-38c7-5e6b-bd32-cce4ad83a5d6"),
        (caused_event_id(EventId(ONE), "build.started.v1"), "36fb4ec8-1276-59dd-8410-2822f5552dd3"),
        (caused_event_id(EventId(ONE), "container.started.v1", "web-1"), "2fc44366-428e-5e5b-98d2-e1d92212c735"),
    ],
)
def test_a_derived_id_is_the_one_that_was_published(made: UUID, published: str) -> None:
    assert str(made) == published


@given(st.lists(printable, max_size=4), st.lists(printable, max_size=4))
def test_two_lists_of_parts_give_one_id_only_if_they_are_the_same(one: list[str], other: list[str]) -> None:
    assert (derived(*one) == derived(*other)) is (one == other)


def test_parts_that_read_alike_when_joined_give_different_ids() -> None:
    assert len({derived("ab", "c"), derived("a", "bc"), derived("abc"), derived("1:a", "b"), derived("1:a1:b")}) == 5


@given(printable)
def test_a_request_that_arrives_again_asks_for_the_same_deployment(key: str) -> None:
    first, again = (deployment_id(key, ProjectId(ONE), EnvironmentId(TWO)) for _ in range(2))
    elsewhere = deployment_id(key, ProjectId(TWO), EnvironmentId(TWO))

    assert first == again != elsewhere


@given(printable, printable)
def test_what_one_cause_brings_about_differs_by_type_and_step(step: str, other: str) -> None:
    made = caused_event_id(EventId(ONE), "container.started.v1", step)

    assert made != caused_event_id(EventId(ONE), "container.stopped.v1", step)
    assert (made == caused_event_id(EventId(ONE), "container.started.v1", other)) is (step == other)
