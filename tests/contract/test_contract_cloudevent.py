"""Messages: what was written is read as it was; whatever else arrives is refused with a reason."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.contract_examples import EXAMPLES, INSTALLATION
from support.contract_strategies import proposals
from windlass_contracts.cloudevent import (
    MAX_EVENT_BYTES,
    MESSAGE_ID_HEADER,
    TYPE_HEADER,
    Envelope,
    Metadata,
    Proposed,
    Recorded,
    decode,
    encode,
)
from windlass_contracts.config import CommandProbe, DeploymentConfig
from windlass_contracts.errors import (
    ContractError,
    ForgedEventError,
    MalformedSubjectError,
    UnknownEventTypeError,
    UnreadableEventError,
)
from windlass_contracts.event import Event, published_events
from windlass_contracts.events import AliasesChanged, DeploymentRequested, EnvironmentCreated
from windlass_contracts.events.deployment import GitSource, VariableVersion
from windlass_contracts.events.routes import Alias, AliasMove
from windlass_contracts.ids import DeploymentId, EnvironmentId
from windlass_contracts.subjects import Aggregate, Service

FAILED = EXAMPLES["deployment.failed.v1"]
ANOTHER = str(uuid4())
Message = tuple[str, dict[str, str], bytes]


def changed(**attributes: object) -> Message:
    """Return a good message with some attributes of its body replaced."""
    subject, headers, body = encode(FAILED, INSTALLATION)
    return subject, headers, json.dumps({**json.loads(body), **attributes}).encode()


@pytest.mark.parametrize("kind", published_events().values(), ids=published_events())
def test_every_event_is_read_as_it_was_written(kind: type[Event]) -> None:
    @settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
    @given(proposals(kind), st.from_regex("[0-9a-f]{8}", fullmatch=True), st.integers(1, 2**53))
    def check(proposed: Proposed[Event], installation: str, sequence: int) -> None:
        recorded = decode(sequence, *encode(proposed, installation))

        assert recorded == Recorded(
            sequence, installation, proposed.service, proposed.key, proposed.event, proposed.metadata
        )

    check()


@pytest.mark.parametrize("event_type", sorted(EXAMPLES))
def test_body_holds_to_the_rules_of_cloudevents_and_repeats_nothing_empty(event_type: str) -> None:
    subject, headers, body = encode(EXAMPLES[event_type], INSTALLATION)
    attributes = json.loads(body)

    assert {"specversion", "id", "source", "type"} <= set(attributes)
    assert attributes["specversion"] == "1.0"
    assert all(re.fullmatch(r"[a-z0-9]{1,20}", name) for name in attributes)
    assert all(isinstance(value, str) and value for name, value in attributes.items() if name != "data")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", attributes["time"])
    assert headers["Content-Type"] == "application/cloudevents+json"
    assert (headers[MESSAGE_ID_HEADER], headers[TYPE_HEADER]) == (attributes["id"], event_type)
    assert attributes["subject"] == subject
    assert b"null" not in body


def test_fields_and_attributes_of_a_later_release_are_ignored() -> None:
    subject, headers, body = encode(FAILED, INSTALLATION)
    later = json.loads(body)
    later["newattribute"] = {"deep": [1, 2]}
    later["data"]["new_field"] = True
    later["data"]["log"]["new_field"] = None

    assert decode(1, subject, headers, json.dumps(later).encode()) == decode(1, subject, headers, body)


def test_times_of_other_zones_are_read_in_utc() -> None:
    recorded = decode(1, *changed(time="2026-03-14T14:00:00+02:00"))

    assert recorded.metadata.time == datetime(2026, 3, 14, 12, tzinfo=UTC)
    assert recorded.metadata.time.tzinfo is UTC


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


@pytest.mark.parametrize("service", set(Service) - {Service.ROUTER})
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
    key = FAILED.key.of_project(FAILED.key.team, FAILED.key.project, Aggregate.ROUTES)

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


def test_what_no_reader_could_read_is_never_written() -> None:
    event = FAILED.event.model_copy(update={"reason": "x" * 1_001})

    with pytest.raises(UnreadableEventError, match=r"data\.reason"):
        encode(Proposed(FAILED.service, FAILED.key, event, FAILED.metadata), INSTALLATION)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("time", datetime(1970, 1, 1, tzinfo=UTC)),
        ("time", datetime(2026, 1, 1)),  # noqa: DTZ001 - a time without a zone is what is refused
        ("time", datetime(2100, 1, 1, tzinfo=timezone(timedelta(hours=-1)))),
        ("actor", "nobody"),
        ("traceparent", "00-0-0-00"),
    ],
)
def test_metadata_that_no_reader_could_read_is_never_written(name: str, value: object) -> None:
    meta = FAILED.metadata
    said = {"id": meta.id, "time": meta.time, "actor": meta.actor, "correlation": meta.correlation, name: value}

    with pytest.raises(UnreadableEventError, match=name):
        encode(Proposed(FAILED.service, FAILED.key, FAILED.event, Metadata(**said)), INSTALLATION)  # type: ignore[arg-type]


def _largest() -> list[tuple[str, Event]]:
    command, environment = "\U0001f600" * 10_000, EnvironmentId(uuid4())
    config = DeploymentConfig(
        root="\U0001f600" * 500,
        build_command=command,
        pre_deploy_command=command,
        start_command=command,
        probe=CommandProbe(command=command),
    )
    variables = tuple(VariableVersion(name=f"{n:_>200}", secret=uuid4()) for n in range(1_000))
    source = GitSource(repository="https://e.example/" + "x" * 1_982, ref="\U0001f600" * 250, commit="a" * 64)
    host = ".".join(["a" * 63] * 3 + ["a" * 61])
    move = AliasMove(
        alias=Alias(kind="a" * 63, name=host, environment=environment),
        before=DeploymentId(uuid4()),
        after=DeploymentId(uuid4()),
    )
    patterns = ("\U0001f600" * 250,) * 100
    return [
        (
            "deployment.requested.v1",
            DeploymentRequested(
                environment=environment, source=source, trigger="a", config=config, variables=variables
            ),
        ),
        ("aliases.changed.v1", AliasesChanged(why="a", moves=(move,) * 500)),
        (
            "environment.created.v1",
            EnvironmentCreated(environment=environment, name="a", production=True, branches=patterns),
        ),
    ]


@pytest.mark.parametrize(("event_type", "event"), _largest())
def test_the_largest_event_that_the_fields_allow_can_be_written(event_type: str, event: Event) -> None:
    example = EXAMPLES[event_type]

    _, _, body = encode(Proposed(example.service, example.key, event, example.metadata), INSTALLATION)

    assert len(body) <= MAX_EVENT_BYTES


def test_an_envelope_cannot_be_changed_once_it_is_read() -> None:
    assert Envelope.model_config["frozen"] is True
