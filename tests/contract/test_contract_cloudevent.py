"""Messages: what was written is read as it was; whatever else arrives is refused with a reason."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone
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
    UnreadableEventError,
)
from windlass_contracts.event import Event, published_events
from windlass_contracts.events import AliasesChanged, DeploymentRequested, EnvironmentCreated
from windlass_contracts.events.deployment import GitSource, VariableVersion
from windlass_contracts.events.routes import Alias, AliasMove
from windlass_contracts.ids import DeploymentId, EnvironmentId

FAILED = EXAMPLES["deployment.failed.v1"]


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
    subject, headers, body = encode(FAILED, INSTALLATION)
    elsewhere = json.dumps({**json.loads(body), "time": "2026-03-14T14:00:00+02:00"}).encode()

    recorded = decode(1, subject, headers, elsewhere)

    assert recorded.metadata.time == datetime(2026, 3, 14, 12, tzinfo=UTC)
    assert recorded.metadata.time.tzinfo is UTC


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
