"""What the server refuses each user, whatever its program tries. That each may do all it needs, every other test shows.

A refused publish is silent for whoever asked; the server names it to the client, which is what is looked at here.
"""

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import nats
import pytest
from nats.js import api

from support.nats import seed_of
from windlass_contracts.subjects import Aggregate, Service
from windlass_eventlog.buckets import Bucket
from windlass_eventlog.jetstream.connection import Connection
from windlass_eventlog.rights import PROVISIONER, READERS, USERS, rights_of
from windlass_eventlog.rights_page import page

_REFUSED = re.compile(r'Permissions Violation for (Publish|Subscription) to "([^"]+)"', re.IGNORECASE)
STREAMS = ("EVENTS", "LOGS", "AUDIT", *(f"KV_{bucket}" for bucket in Bucket), "OBJ_OBJECTS")
OWNED = {
    Service.GATEWAY: {
        "project",
        "environments",
        "variables",
        "credentials",
        "domains",
        "deployment",
        "run",
        "routes",
        "inspection",
        "tokens",
    },
    Service.BUILDER: {"deployment", "run", "routes", "releases", "inspection"},
    Service.MONITOR: {"deployment", "routes"},
    Service.ROUTER: {"deployment", "routes"},
    Service.LOGS: set(),
}
"""About what each service appends, besides the reactions that it gave up."""


def others(service: Service) -> list[Service]:
    return [other for other in Service if other is not service]


def forged(service: Service) -> list[str]:
    """Events of others, and of the service itself about what is not its own; with them what imitates the server."""
    places = [f"{uuid4()}.{'_' if aggregate.of_team else uuid4()}.{aggregate}.{uuid4()}" for aggregate in Aggregate]
    foreign = [f"evt.{other}.{place}" for other in others(service) for place in places]
    own = [f"evt.{service}.{place}" for place in places if place.split(".")[2] not in {*OWNED[service], "reaction"}]
    imitated = [f"wake.{each}" for each in Service] + ["stored.evt.x", "stored.log.x", f"stored.$KV.SECRETS.{uuid4()}"]
    return [*foreign, *own, *imitated, "evt.x", f"evt.{service}.x"]


def meddling(service: Service) -> list[str]:
    """Ways to make, rewrite, pause, reset, delete, pull from or answer consumers: of others, and of one's own."""
    names = [*Service, "probe"]
    deeds = ("PAUSE", "RESET", "DELETE", "UNPIN", "MSG.NEXT", "LEADER.STEPDOWN")
    yours = [f"$JS.API.CONSUMER.{deed}.EVENTS.{name}" for deed in deeds for name in names]
    made = [
        subject
        for stream in STREAMS
        for subject in (
            f"$JS.API.CONSUMER.CREATE.{stream}",
            f"$JS.API.CONSUMER.LIST.{stream}",
            f"$JS.API.CONSUMER.NAMES.{stream}",
            *(f"$JS.API.CONSUMER.CREATE.{stream}.{name}" for name in names),
            *(f"$JS.API.CONSUMER.CREATE.{stream}.{name}.evt.>" for name in names),
            *(f"$JS.API.CONSUMER.DURABLE.CREATE.{stream}.{name}" for name in names),
        )
    ]
    answered = [f"$JS.ACK.EVENTS.{other}.1.1.1.1.1" for other in others(service)]
    return [*yours, *made, *answered, *(f"$JS.API.CONSUMER.INFO.EVENTS.{other}" for other in others(service))]


def destroying() -> list[str]:
    """Ways to make, change, empty, copy or delete streams, and to read all of them."""
    deeds = ("CREATE", "UPDATE", "DELETE", "PURGE", "MSG.DELETE", "SNAPSHOT", "RESTORE", "LEADER.STEPDOWN")
    return [
        *(f"$JS.API.STREAM.{deed}.{stream}" for deed in deeds for stream in (*STREAMS, "MINE", "KV_MINE")),
        "$JS.API.STREAM.LIST",
        "$JS.API.STREAM.NAMES",
        "$JS.API.INFO",
        "$JS.API.ACCOUNT.PURGE.$G",
        "$SYS.REQ.SERVER.PING",
        "$SYS.ACCOUNT.$G.CONNECT",
    ]


def foreign_values(service: Service) -> list[str]:
    """Buckets that are not for the service: reading all, reading a key, writing a key (a rollup is a write, too)."""
    closed = [bucket for bucket, readers in READERS.items() if service not in readers]
    reads = [
        subject
        for bucket in closed
        for subject in (
            f"$JS.API.DIRECT.GET.KV_{bucket}",
            f"$JS.API.DIRECT.GET.KV_{bucket}.$KV.{bucket}.x",
            f"$JS.API.STREAM.MSG.GET.KV_{bucket}",
            f"$JS.API.STREAM.INFO.KV_{bucket}",
        )
    ]
    writes = [f"$KV.OPERATIONS.answer.{other}" for other in others(service)]
    if service is not Service.GATEWAY:
        own = {(Service.BUILDER, Bucket.NODES), (Service.MONITOR, Bucket.SERIES)}
        foreign = [bucket for bucket in Bucket if (service, bucket) not in own]
        writes += [f"$KV.{bucket}.{key}" for bucket in foreign for key in ("x", f"{service}.1", f"request.{service}")]
        writes += [f"audit.{service}.x.y", "audit.gateway.x.y", "$JS.API.DIRECT.GET.AUDIT"]
    if service in {Service.GATEWAY, Service.MONITOR, Service.ROUTER}:
        writes += [f"log.{uuid4()}.{uuid4()}.{uuid4()}"]
    if service not in {Service.GATEWAY, Service.BUILDER}:
        writes += ["$O.OBJECTS.C.x", "$O.OBJECTS.M.x", "$JS.API.DIRECT.GET.OBJ_OBJECTS"]
    if service is not Service.BUILDER:
        writes += ["$JS.API.STREAM.PURGE.TERMINALS"]
    return [*reads, *writes, f"_INBOX_{others(service)[0]}.x"]


def overheard(service: Service) -> list[str]:
    """What is sent to others, or to nobody in particular."""
    subjects = [subject for other in others(service) for subject in (f"_INBOX_{other}.>", f"wake.{other}")]
    subjects += [
        f"wake.{service}",
        "_INBOX.>",
        ">",
        "evt.>",
        "log.>",
        "audit.>",
        "$KV.>",
        "$JS.>",
        "$SYS.>",
        "stored.>",
    ]
    told = {(Service.GATEWAY, Bucket.NODES), (Service.GATEWAY, Bucket.SERIES)}
    subjects += [f"stored.$KV.{bucket}.>" for bucket in Bucket if (service, bucket) not in told]
    subjects += [f"stored.$KV.OPERATIONS.request.{other}" for other in others(service)]
    return subjects + ([] if service is Service.GATEWAY else ["stored.log.>", "stored.$KV.OPERATIONS.answer.*"])


_NOBODYS = "nobodys.subject"


async def refused(url: str, user: str, folder: Path, publish: list[str], subscribe: list[str]) -> set[str]:
    """Try everything as a user, and return what the server refused; the client tells it in small letters.

    One at a time: of many refusals that arrive together the client tells only some.
    """
    said: list[str] = []
    all_said = asyncio.Event()

    async def note(error: Exception) -> None:
        said.append(str(error))
        if _NOBODYS in str(error):
            all_said.set()

    client = await nats.connect(
        url, nkeys_seed=str(seed_of(user, folder)), inbox_prefix=f"_INBOX_{user}".encode(), error_cb=note
    )
    try:
        for subject in publish:
            await client.publish(subject, b"{}", reply=f"_INBOX_{user}.x")
            await client.flush(60)
        for subject in subscribe:
            await client.subscribe(subject)
            await client.flush(60)
        await client.publish(_NOBODYS, b"")
        async with asyncio.timeout(60):
            await all_said.wait()  # what the server said before is handed over by then
    finally:
        await client.close()
    return {found[2].lower() for text in said if (found := _REFUSED.search(text)) is not None}


@pytest.mark.parametrize("service", Service)
async def test_a_service_is_refused_everything_that_is_not_its_own(
    service: Service, provisioned: str, link: Connection, tmp_path: Path
) -> None:
    before = [(await link.jetstream.stream_info(stream)).state.last_seq for stream in STREAMS]
    publish = [*forged(service), *meddling(service), *destroying(), *foreign_values(service)]
    subscribe = overheard(service)

    found = await refused(provisioned, service, tmp_path, publish, subscribe)

    assert [subject for subject in (*publish, *subscribe) if subject.lower() not in found] == []
    assert [(await link.jetstream.stream_info(stream)).state.last_seq for stream in STREAMS] == before
    consumers = await link.jetstream.consumers_info("EVENTS")
    assert {consumer.name for consumer in consumers} == set(Service)


async def test_whoever_makes_streams_reads_no_event_and_no_value(provisioned: str, tmp_path: Path) -> None:
    publish = [f"$JS.API.DIRECT.GET.{stream}" for stream in STREAMS]
    publish += [f"$JS.API.STREAM.{deed}.{stream}" for deed in ("DELETE", "PURGE", "MSG.DELETE") for stream in STREAMS]
    publish += ["evt.gateway.x", "$KV.SECRETS.x", "wake.router", "$JS.API.CONSUMER.CREATE.KV_SECRETS.x"]
    subscribe = ["evt.>", "stored.evt.>", "_INBOX_gateway.>", "wake.router", "$KV.>"]

    found = await refused(provisioned, PROVISIONER, tmp_path, publish, subscribe)

    assert [subject for subject in (*publish, *subscribe) if subject.lower() not in found] == []


async def test_a_consumer_writes_wherever_it_is_told_to_which_is_why_no_service_may_make_one(
    link: Connection,
) -> None:
    await link.jetstream.publish("evt.gateway.x", b"forged")
    config = api.ConsumerConfig(name="x", deliver_subject="$KV.SECRETS.x", ack_policy=api.AckPolicy.NONE)
    heard = await link.client.subscribe("$KV.SECRETS.x")

    await link.jetstream.add_consumer("EVENTS", config)

    assert (await heard.next_msg(60)).data == b"forged"
    assert all("CONSUMER.CREATE" not in subject for service in Service for subject in rights_of(service).publish)


def test_rights_are_the_same_in_a_process_that_knows_nothing_else() -> None:
    program = (
        "import json; from windlass_eventlog.rights import USERS, rights_of;"
        "print(json.dumps({user: rights_of(user).permissions for user in USERS}))"
    )
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    assert json.loads(told.stdout) == {user: rights_of(user).permissions for user in USERS}


def test_the_page_about_rights_is_true() -> None:
    written = Path(__file__).parents[3] / "docs" / "permissions.md"
    assert written.read_text() == page(), "write it anew: python -m windlass_eventlog.rights_page >docs/permissions.md"
