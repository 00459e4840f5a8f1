"""What each user of the server may publish and subscribe to. Everything that is not named here is denied.

There is one user for each service, and one for the step that makes streams and consumers. No service may make a
consumer: it could have it deliver to any subject, and so write where only others may, or rewrite another's by its name.
They read by direct gets and follow what the server publishes again; what wakes them up is a consumer that is there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import windlass_contracts.events  # noqa: F401 - every event is published by being imported
from windlass_contracts.event import published_events
from windlass_contracts.logs import ALL_LOGS, LOG_STREAM
from windlass_contracts.subjects import ALL_EVENTS, STREAM, Service
from windlass_eventlog.buckets import Bucket
from windlass_eventlog.topology import (
    AUDIT_STREAM,
    DURABLES,
    OBJECTS,
    TERMINAL_STREAM,
    durable_of,
    republished,
)

PROVISIONER = "provisioner"
USERS = (*map(str, Service), PROVISIONER)

READERS: Mapping[Bucket, frozenset[Service]] = MappingProxyType(
    {
        Bucket.SECRETS: frozenset({Service.GATEWAY, Service.BUILDER, Service.LOGS}),
        Bucket.PEOPLE: frozenset({Service.GATEWAY}),
        Bucket.NOTES: frozenset({Service.GATEWAY}),
        Bucket.QUARANTINE: frozenset(Service),
        Bucket.OPERATIONS: frozenset(Service),
        Bucket.NODES: frozenset({Service.GATEWAY, Service.BUILDER}),
        Bucket.SERIES: frozenset({Service.GATEWAY, Service.MONITOR}),
    }
)
"""Who reads a bucket, and so may see all of it."""

_WRITTEN: Mapping[Bucket, Mapping[Service, str]] = MappingProxyType(
    {
        Bucket.SECRETS: {Service.GATEWAY: "*"},
        Bucket.PEOPLE: {Service.GATEWAY: "*"},
        Bucket.NOTES: {Service.GATEWAY: "*"},
        Bucket.QUARANTINE: {Service.GATEWAY: "*.*"},
        Bucket.OPERATIONS: {service: f"answer.{service}" for service in Service},
        Bucket.NODES: {Service.BUILDER: ">"},
        Bucket.SERIES: {Service.MONITOR: "*.*"},
    }
)
_OBJECT_USERS = frozenset({Service.GATEWAY, Service.BUILDER})
"""Who reads what was uploaded and deletes it, which is a write: the gateway takes it in, the builder fetches it."""
_LOG_WRITERS = frozenset({Service.BUILDER, Service.LOGS})
_TERMINAL_READERS = frozenset({Service.GATEWAY, Service.BUILDER})
_LOG_READERS = frozenset({Service.GATEWAY, Service.BUILDER, Service.LOGS})


@dataclass(frozen=True, slots=True)
class Rights:
    """Subjects; one to subscribe to may name, after a space, the queue group that it is granted to."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]

    @property
    def permissions(self) -> dict[str, dict[str, list[str]]]:
        """Return them in the words of the server's configuration."""
        return {"publish": {"allow": list(self.publish)}, "subscribe": {"allow": list(self.subscribe)}}


def rights_of(user: str) -> Rights:
    """Return the rights of one of `USERS`.

    Raises:
        ValueError: it is none of them.
    """
    if user == PROVISIONER:
        return Rights(tuple(_provisioning()), (_inbox(user), "$JS.EVENT.ADVISORY.>"))
    service = Service(user)
    return Rights(tuple(_published(service)), tuple(_subscribed(service)))


def server_users(public_keys: Mapping[str, str]) -> list[dict[str, object]]:
    """Return the list `authorization.users` of a server's configuration; it needs the users' public keys alone."""
    return [{"nkey": public_keys[user], "permissions": rights_of(user).permissions} for user in USERS]


def readable_by(service: Service) -> Iterator[Bucket]:
    """Yield the buckets that a service reads."""
    return (bucket for bucket, readers in READERS.items() if service in readers)


def _inbox(user: str) -> str:
    return f"_INBOX_{user}.>"


def _published(service: Service) -> Iterator[str]:
    yield from _events(service)
    yield from _read(STREAM)
    durable = durable_of(service)
    yield f"$JS.API.CONSUMER.INFO.{STREAM}.{durable.name}"
    yield f"$JS.ACK.{STREAM}.{durable.name}.>"
    for bucket in readable_by(service):
        yield from _read(f"KV_{bucket}")
        yield f"$JS.API.DIRECT.GET.KV_{bucket}.>"
        yield f"$JS.API.STREAM.MSG.GET.KV_{bucket}"
    for bucket, writers in _WRITTEN.items():
        if service in writers:
            yield f"$KV.{bucket}.{writers[service]}"
    yield f"$JS.API.STREAM.INFO.OBJ_{OBJECTS}"
    if service in _OBJECT_USERS:
        yield f"$JS.API.DIRECT.GET.OBJ_{OBJECTS}"
        yield from (f"$O.{OBJECTS}.{part}.*" for part in ("C", "M"))
    if service in _LOG_WRITERS:
        yield "log.*.*.*"
    if service in _LOG_READERS:
        yield from _read(LOG_STREAM)
    if service is Service.BUILDER:
        yield "tty.*.*.out"
        yield f"$JS.API.STREAM.PURGE.{TERMINAL_STREAM}"  # what it wrote there itself, and too much of it
    if service in _TERMINAL_READERS:
        yield from _read(TERMINAL_STREAM)
    if service is Service.GATEWAY:
        yield "tty.*.*.in"
        yield f"$KV.{Bucket.OPERATIONS}.request.*"
        yield f"audit.{service}.*.*"
        yield from _read(AUDIT_STREAM)


def _events(service: Service) -> Iterator[str]:
    """Yield where the events go that the contracts let this service append."""
    aggregates = {kind.AGGREGATE for kind in published_events().values() if service in kind.APPENDED_BY}
    for aggregate in sorted(aggregates):
        yield f"evt.{service}.*.{'_' if aggregate.of_team else '*'}.{aggregate}.*"


def _read(stream: str) -> Iterator[str]:
    yield f"$JS.API.STREAM.INFO.{stream}"
    yield f"$JS.API.DIRECT.GET.{stream}"


def _subscribed(service: Service) -> Iterator[str]:
    yield _inbox(service)
    durable = durable_of(service)
    yield f"{durable.deliver_subject} {durable.name}"
    yield republished(ALL_EVENTS)
    yield republished(f"$KV.{Bucket.QUARANTINE}.{service}.>")
    yield republished(f"$KV.{Bucket.OPERATIONS}.request.{service}")
    if service is Service.GATEWAY:
        yield republished(f"$KV.{Bucket.OPERATIONS}.answer.*")
        yield republished(f"$KV.{Bucket.NODES}.>")
        yield republished(f"$KV.{Bucket.SERIES}.>")
        yield republished(ALL_LOGS)
        yield republished("tty.*.*.out")
    if service is Service.BUILDER:
        yield republished("tty.*.*.in")


def _provisioning() -> Iterator[str]:
    """Yield what makes and corrects everything; it deletes consumers, to make them anew, and never a message."""
    for stream in (
        STREAM,
        LOG_STREAM,
        TERMINAL_STREAM,
        AUDIT_STREAM,
        *(f"KV_{bucket}" for bucket in Bucket),
        f"OBJ_{OBJECTS}",
    ):
        for deed in ("INFO", "CREATE", "UPDATE"):
            yield f"$JS.API.STREAM.{deed}.{stream}"
    for durable in DURABLES:
        yield f"$JS.API.CONSUMER.INFO.{STREAM}.{durable.name}"
        yield f"$JS.API.CONSUMER.CREATE.{STREAM}.{durable.name}.{durable.filter}"
        yield f"$JS.API.CONSUMER.DELETE.{STREAM}.{durable.name}"
