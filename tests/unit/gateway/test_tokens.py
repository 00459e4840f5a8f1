"""API tokens as rows: whatever is created and revoked, what is valid is what the log says."""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.gateway_story import NOON, TEAM
from windlass_contracts.cloudevent import Metadata, Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import ApiTokenCreated, ApiTokenRevoked
from windlass_contracts.ids import EventId, TokenId
from windlass_contracts.subjects import AggregateKey, Service
from windlass_gateway.domain.refusals import InvalidInputError, TokenNameTakenError, TooManyTokensError
from windlass_gateway.domain.tokens import (
    MOST_TOKENS,
    ApiToken,
    NamedToken,
    TokenNames,
    checked_end,
    checked_name,
    decide_creation,
    digest_of,
    evolve,
    evolve_names,
    fresh_token,
)


def created(number: int, name: str = "ci", days: int | None = None) -> ApiTokenCreated:
    end = None if days is None else NOON + timedelta(days=days)
    token = TokenId(UUID(int=number))
    return ApiTokenCreated(token=token, name=name, digest=digest_of("x"), permissions=("read",), expires_at=end)


def told(event: Event, sequence: int) -> Recorded[Event]:
    identity = EventId(UUID(int=1_000 + sequence))
    metadata = Metadata(identity, NOON, "token:installation", correlation=identity)
    return Recorded(sequence, "0a1b2c3d", Service.GATEWAY, AggregateKey.of_tokens(TEAM), event, metadata)


STORIES = st.lists(st.tuples(st.booleans(), st.integers(1, 4)), max_size=12)


@given(STORIES)
def test_a_token_is_valid_from_its_creation_until_its_revocation(story: list[tuple[bool, int]]) -> None:
    names: TokenNames | None = None
    rows: dict[int, ApiToken | None] = {}
    for sequence, (creates, number) in enumerate(story, start=1):
        event: Event = created(number) if creates else ApiTokenRevoked(token=TokenId(UUID(int=number)))
        names = evolve_names(names, told(event, sequence))
        rows[number] = evolve(rows.get(number), told(event, sequence))
    valid = {number for number, row in rows.items() if row is not None and row.is_valid(NOON)}
    assert valid == {token.int for token in (names or TokenNames()).tokens}


def test_a_token_expires_at_its_moment() -> None:
    row = evolve(None, told(created(1, days=1), 1))
    assert row is not None
    assert row.is_valid(NOON + timedelta(hours=23))
    assert not row.is_valid(NOON + timedelta(hours=24))


def test_a_name_is_free_again_once_its_token_has_expired() -> None:
    names = evolve_names(None, told(created(1, "ci", days=1), 1))
    assert names is not None
    with pytest.raises(TokenNameTakenError, match="ci"):
        decide_creation(names, created(2, "ci"), NOON)
    assert decide_creation(names, created(2, "other"), NOON)
    assert decide_creation(names, created(2, "ci"), NOON + timedelta(days=2))


def test_there_is_an_end_to_how_many_there_may_be() -> None:
    many = {TokenId(UUID(int=n)): NamedToken(name=str(n), expires_at=None) for n in range(MOST_TOKENS)}
    with pytest.raises(TooManyTokensError, match=str(MOST_TOKENS)):
        decide_creation(TokenNames(tokens=many), created(1), NOON)


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "\u202eabc", "\x00", "a" * 101, "x" * 10_000, "\ud800"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        checked_name(name)
    assert refused.value.field == "name"
    assert name not in refused.value.detail or len(name) < 3


@pytest.mark.parametrize("name", ["ci", " ci ", "<b>ci</b>", "\"ci'", "\u5317\u4eac", "\U0001f680", "a" * 100])
def test_a_name_may_be_what_is_harmless_once_it_is_escaped(name: str) -> None:
    assert checked_name(name) == name.strip()


@pytest.mark.parametrize("days", [0, -1, 40_000])
def test_a_token_cannot_have_expired_before_it_begins(days: int) -> None:
    with pytest.raises(InvalidInputError):
        checked_end(NOON + timedelta(days=days), NOON)


def test_a_moment_without_a_time_zone_is_none() -> None:
    with pytest.raises(InvalidInputError):
        checked_end((NOON + timedelta(days=1)).replace(tzinfo=None), NOON)


def test_tokens_are_long_random_and_known_by_what_they_begin_with() -> None:
    tokens = {fresh_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(token.startswith("wl_") and len(token) == 46 for token in tokens)
