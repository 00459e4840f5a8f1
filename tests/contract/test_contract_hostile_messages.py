"""Messages that nobody of ours would write: each is refused by an error of the contract, and by no other."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.contract_examples import EXAMPLES, INSTALLATION
from windlass_contracts.cloudevent import (
    MAX_EVENT_BYTES,
    MESSAGE_ID_HEADER,
    TYPE_HEADER,
    Proposed,
    decode,
    encode,
)
from windlass_contracts.errors import (
    ContractError,
    ForgedEventError,
    MalformedSubjectError,
    UnknownEventTypeError,
    UnreadableEventError,
)
from windlass_contracts.subjects import Aggregate, Service

FAILED = EXAMPLES["deployment.failed.v1"]
ANOTHER = str(uuid4())
Message = tuple[str, dict[str, str], bytes]


def changed(**attributes: object) -> Message:
    """Return a good message with some attributes of its body replaced."""
    subject, headers, body = encode(FAILED, INSTALLATION)
    return subject, headers, json.dumps({**json.loads(body), **attributes}).encode()


@pytest.mark.parametrize(
    "headers",
    [
        lambda good: {**good, MESSAGE_ID_HEADER: ANOTHER},
        lambda good: {**good, MESSAGE_ID_HEADER: good[MESSAGE_ID_HEADER].upper()},
        lambda good: {name: value for name, value in good.items() if name != MESSAGE_ID_HEADER},
    ],
)
def test_a_message_under_anothers_id_is_refused(headers: Callable[[dict[str, str]], dict[str, str]]) -> None:
    subject, good, body = encode(FAILED, INSTALLATION)

    with pytest.raises(ForgedEventError, match="message id"):
        decode(1, subject, headers(good), body)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("source", "urn:windlass:3f9c01ab:router"),
        ("subject", FAILED.key.subject(Service.ROUTER)),
        ("type", "deployment.live.v1"),
    ],
)
def test_a_body_that_contradicts_its_message_is_refused(attribute: str, value: str) -> None:
    with pytest.raises(ForgedEventError, match="does not agree"):
        decode(1, *changed(**{attribute: value}))


def test_a_header_that_names_another_type_is_refused() -> None:
    subject, headers, body = encode(EXAMPLES["container.paused.v1"], INSTALLATION)

    with pytest.raises(ForgedEventError, match="type header"):
        decode(1, subject, {**headers, TYPE_HEADER: "container.resumed.v1"}, body)


@pytest.mark.parametrize("service", [one for one in Service if one is not Service.ROUTER])
def test_no_service_says_in_anothers_name_that_a_deployment_is_live(service: Service) -> None:
    live = EXAMPLES["deployment.live.v1"]
    forged = Proposed(service, live.key, live.event, live.metadata)
    subject, headers, body = encode(live, INSTALLATION)
    as_written = json.loads(body) | {
        "source": f"urn:windlass:{INSTALLATION}:{service}",
        "subject": live.key.subject(service),
    }

    with pytest.raises(ForgedEventError, match=f"not the {service}'s to append"):
        encode(forged, INSTALLATION)
    with pytest.raises(ForgedEventError, match=f"not the {service}'s to append"):
        decode(1, live.key.subject(service), headers, json.dumps(as_written).encode())
    assert subject != live.key.subject(service)


def test_an_event_about_another_kind_of_aggregate_is_refused() -> None:
    key = replace(FAILED.key, aggregate=Aggregate.ROUTES)

    with pytest.raises(ForgedEventError, match="about routes"):
        encode(Proposed(FAILED.service, key, FAILED.event, FAILED.metadata), INSTALLATION)


@pytest.mark.parametrize("event_type", ["", "deployment.failed.v2", "deployment.unheard-of.v1", "x" * 10_000])
def test_an_unknown_type_is_told_from_an_unreadable_one(event_type: str) -> None:
    subject, headers, body = encode(FAILED, INSTALLATION)

    with pytest.raises(UnknownEventTypeError, match="upgrade readers before writers"):
        decode(1, subject, {**headers, TYPE_HEADER: event_type}, body)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("specversion", "0.3"),
        ("specversion", None),
        ("id", "not-an-id"),
        ("id", 7),
        ("source", "https://elsewhere.example"),
        ("datacontenttype", "text/plain"),
        ("actor", "person:somebody@example.com"),
        ("actor", "person:john"),
        ("actor", ""),
        ("traceparent", "00-xyz"),
        ("correlation", None),
        ("data", None),
        ("data", []),
        ("data", "{}"),
        ("time", 1_773_489_600),
        ("time", "2026-03-14T12:00:00"),
        ("time", "yesterday"),
        ("time", "1970-01-01T00:00:00Z"),
        ("time", "2019-12-31T23:59:59Z"),
        ("time", "2100-01-01T00:00:00Z"),
    ],
)
def test_an_attribute_that_is_wrong_is_refused_by_name(attribute: str, value: object) -> None:
    with pytest.raises(UnreadableEventError, match=f"at sequence 41 is no deployment.failed.v1: {attribute}"):
        decode(41, *changed(**{attribute: value}))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("stage", "coffee"),
        ("code", "Not A Token"),
        ("code", None),
        ("reason", ""),
        ("exit_code", "1"),
        ("exit_code", True),
        ("exit_code", 1.0),
        ("exit_code", float("nan")),
        ("exit_code", 10**30),
        ("log", {"source": "build-1", "first": 2, "last": 1}),
        ("log", {"source": "../etc", "first": 1, "last": 2}),
    ],
)
def test_a_field_of_a_wrong_kind_is_refused_by_name_and_never_repeated(field: str, value: object) -> None:
    data = FAILED.event.model_dump(mode="json") | {field: value}

    with pytest.raises(UnreadableEventError, match=rf"data\.{field}") as refused:
        decode(1, *changed(data=data))
    assert not isinstance(value, str) or not value or value not in str(refused.value).split(": ", 1)[1]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'"text"',
        b"[" * 200_000,
        b'{"a":' * 50_000,
        b"9" * 100_000,
        b'{"id": "\\ud800"}',
        b"NaN",
        b"x" * (MAX_EVENT_BYTES + 1),
    ],
    ids=lambda body: f"{body[:8]!r}x{len(body)}",
)
def test_what_is_no_event_at_all_is_refused(body: bytes) -> None:
    subject, headers, _ = encode(FAILED, INSTALLATION)

    with pytest.raises(UnreadableEventError, match="at sequence 7") as refused:
        decode(7, subject, headers, body)
    assert len(str(refused.value)) < 1_000


def test_a_good_event_swollen_beyond_the_limit_is_refused() -> None:
    with pytest.raises(UnreadableEventError, match="the limit is"):
        decode(1, *changed(swollen="x" * MAX_EVENT_BYTES))


@given(
    st.one_of(st.just(FAILED.key.subject(FAILED.service)), st.text()),
    st.dictionaries(
        st.sampled_from([MESSAGE_ID_HEADER, TYPE_HEADER, "x"]), st.sampled_from(sorted(EXAMPLES)) | st.text()
    ),
    st.binary(),
)
def test_arbitrary_messages_raise_nothing_but_a_contract_error(
    subject: str, headers: dict[str, str], body: bytes
) -> None:
    with pytest.raises(ContractError):
        decode(1, subject, headers, body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda deeper: st.lists(deeper, max_size=3) | st.dictionaries(st.text(max_size=5), deeper, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(EXAMPLES)), st.data(), json_values)
def test_a_good_message_with_one_value_replaced_is_read_or_refused(
    event_type: str, data: st.DataObject, value: object
) -> None:
    subject, headers, body = encode(EXAMPLES[event_type], INSTALLATION)
    attributes: dict[str, Any] = json.loads(body)
    where = data.draw(st.sampled_from([attributes, attributes["data"]]))
    if where:
        where[data.draw(st.sampled_from(sorted(where)))] = value

    try:
        recorded = decode(1, subject, headers, json.dumps(attributes).encode())
    except ContractError:
        return
    again = encode(Proposed(recorded.service, recorded.key, recorded.event, recorded.metadata), recorded.installation)
    assert decode(1, *again) == recorded


def test_a_subject_of_another_stream_is_refused() -> None:
    _, headers, body = encode(FAILED, INSTALLATION)

    with pytest.raises(MalformedSubjectError):
        decode(1, "log.a.b.c", headers, body)
