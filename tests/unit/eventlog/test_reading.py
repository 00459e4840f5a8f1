"""Messages on their way into rows: what is read, what is passed over, and what stops everything."""

from datetime import UTC, datetime

from support.raw_events import good_message
from windlass_contracts.cloudevent import TYPE_HEADER
from windlass_contracts.subjects import Aggregate, Service
from windlass_eventlog.dead_letters.letter import DEAD_LETTERS
from windlass_eventlog.message import StoredMessage
from windlass_eventlog.postgres.layout import Layout
from windlass_eventlog.postgres.reading import read
from windlass_gateway.application.projections import ALL, DEPLOYMENTS, ROUTES

NOBODY = frozenset[int]()


def stored(sequence: int, *, kind: str | None = None, body: bytes | None = None) -> StoredMessage:
    message = good_message()
    headers = dict(message.headers) if kind is None else {**message.headers, TYPE_HEADER: kind}
    at = datetime(2026, 3, 1, tzinfo=UTC)
    return StoredMessage(sequence, at, message.subject, headers, message.body if body is None else body)


def test_reading_ends_right_before_what_cannot_be_read() -> None:
    found = read([stored(1), stored(2, kind="deployment.teleported.v1"), stored(3)], NOBODY, None)
    assert ([event.sequence for event in found.events], found.end) == ([1], 1)
    assert found.stop is not None
    assert (found.stop.sequence, found.stop.kind) == (2, "deployment.teleported.v1")


def test_what_is_quarantined_is_passed_over_readable_or_not() -> None:
    found = read([stored(1), stored(2, body=b"{"), stored(3)], {2, 3}, None)
    assert ([event.sequence for event in found.events], found.end, found.stop) == ([1], 3, None)


def test_of_what_no_projection_touches_only_the_type_is_read_and_has_to_be_known() -> None:
    about = frozenset({Aggregate.ROUTES})
    found = read([stored(1, body=b"no JSON"), stored(2)], NOBODY, about)
    assert (found.events, found.end, found.stop) == ([], 2, None)

    unknown = read([stored(1, kind="deployment.teleported.v1")], NOBODY, about)
    assert unknown.stop is not None


def test_a_layout_knows_what_its_projections_are_about() -> None:
    few = Layout.of(Service.LOGS, [DEPLOYMENTS, ROUTES, DEAD_LETTERS])
    assert few.about == frozenset({Aggregate.DEPLOYMENT, Aggregate.ROUTES, Aggregate.REACTION})
    assert Layout.of(Service.GATEWAY, ALL).about is None, "it tells what each service did last, so it reads everything"
