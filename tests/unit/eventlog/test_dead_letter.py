"""What may become of a dead letter: whatever is decided in whatever order, one state follows the other as it should."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.eventlog_samples import NOON
from windlass_contracts.cloudevent import Metadata, Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import ReactionAbandoned, ReactionDiscarded, ReactionRecovered, ReactionRetried
from windlass_contracts.ids import EventId, ReactionId, TeamId
from windlass_contracts.subjects import AggregateKey, Service
from windlass_eventlog.dead_letters.failure import Failure
from windlass_eventlog.dead_letters.letter import (
    DeadLetter,
    Discarded,
    NotOpenError,
    Open,
    Recovered,
    Retrying,
    decide_discard,
    decide_retry,
    evolve,
)

TEAM, WAKE = TeamId(UUID(int=1)), EventId(UUID(int=2))
KEY = AggregateKey.of_reaction(TEAM, ReactionId(UUID(int=3)))
REASON = UUID(int=4)
ABANDONED = ReactionAbandoned(
    reactor="deploy", sequence=7, event=WAKE, type="deployment.requested.v1", attempts=30, error="KeyError"
)
OPERATORS = ("retry", "discard")
SERVICE = ("succeed", "fail")


def recorded(event: Event, sequence: int, service: Service = Service.BUILDER) -> Recorded[Event]:
    identity = EventId(uuid4())
    metadata = Metadata(identity, NOON + timedelta(seconds=sequence), f"service:{service}", identity)
    return Recorded(sequence, "0a1b2c3d", service, KEY, event, metadata)


def attempted(letter: DeadLetter, act: str) -> Event | None:
    """Return what an operator or the service appends; None where that is refused, or there is nothing to do."""
    try:
        match act:
            case "retry":
                return decide_retry(letter)
            case "discard":
                return decide_discard(letter, REASON)
            case "succeed":
                return ReactionRecovered() if isinstance(letter.state, Retrying) else None
            case _:
                return ABANDONED if isinstance(letter.state, Retrying) else None
    except NotOpenError:
        return None


def allowed(letter: DeadLetter) -> set[str]:
    match letter.state:
        case Open():
            return {"retry", "discard"}
        case Retrying():
            return {"discard", "succeed", "fail"}
        case Recovered() | Discarded():
            return set()


@given(st.lists(st.sampled_from(OPERATORS + SERVICE)))
def test_a_dead_letter_takes_what_its_state_allows_and_nothing_else(acts: list[str]) -> None:
    letter = evolve(None, recorded(ABANDONED, 1))
    for sequence, act in enumerate(acts, 2):
        assert letter is not None
        event = attempted(letter, act)
        assert (event is not None) == (act in allowed(letter))
        if event is not None:
            letter = evolve(letter, recorded(event, sequence))
    assert letter is not None
    assert letter.unanswered == bool(allowed(letter))


@given(st.lists(st.booleans(), max_size=8))
def test_each_round_is_counted_and_the_first_moment_is_kept(successes: list[bool]) -> None:
    letter = evolve(None, recorded(ABANDONED, 1))
    rounds = 1
    for number, success in enumerate(successes, 1):
        assert letter is not None
        if not isinstance(letter.state, Open):
            break
        letter = evolve(letter, recorded(decide_retry(letter), 2 * number))
        letter = evolve(letter, recorded(ReactionRecovered() if success else ABANDONED, 2 * number + 1))
        rounds += not success
    assert letter is not None
    assert (letter.rounds, letter.abandoned, letter.first_at) == (rounds, 1, NOON + timedelta(seconds=1))
    assert letter.service is Service.BUILDER


@given(st.sampled_from([ReactionRetried(), ReactionDiscarded(note=REASON), ReactionRecovered()]))
def test_what_is_said_about_nothing_makes_no_dead_letter(event: Event) -> None:
    assert evolve(None, recorded(event, 1)) is None


def test_a_row_survives_its_way_through_the_database() -> None:
    letter = evolve(None, recorded(ABANDONED, 1))
    assert letter is not None
    for event in (decide_retry(letter), decide_discard(letter, REASON), ReactionRecovered()):
        row = evolve(letter, recorded(event, 2))
        assert row is not None
        assert DeadLetter.model_validate_json(row.model_dump_json()) == row


def raised(error: Exception) -> Exception:
    with pytest.raises(type(error)) as caught:
        raise error
    return caught.value


@given(st.text(max_size=300))
def test_an_error_is_told_by_its_class_and_place_whatever_it_is_called_and_says(name: str) -> None:
    error = type("Strange", (Exception,), {})("a secret")
    type(error).__qualname__ = name
    failure = Failure.of(raised(error))
    event = ReactionAbandoned.model_validate(
        ABANDONED.model_dump() | {"error": failure.error, "place": failure.place}, strict=True
    )
    assert "a secret" not in event.model_dump_json()


def test_the_place_is_where_our_own_code_was_last() -> None:
    with pytest.raises(NotOpenError) as caught:
        decide_discard(evolve_all(ABANDONED, ReactionDiscarded(note=REASON)), REASON)
    failure = Failure.of(caught.value)
    assert failure.error == "windlass_eventlog.dead_letters.letter.NotOpenError"
    assert failure.place is not None
    assert failure.place.startswith("windlass_eventlog.dead_letters.letter:")


def evolve_all(*events: Event) -> DeadLetter:
    letter = None
    for sequence, event in enumerate(events, 1):
        letter = evolve(letter, recorded(event, sequence))
    assert letter is not None
    return letter
