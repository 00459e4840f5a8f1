"""What becomes of a wake-up by the type of its event alone."""

import asyncio
from collections.abc import Container
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest
from nats.aio.msg import Msg

from support.raw_events import good_message
from windlass_contracts.cloudevent import TYPE_HEADER
from windlass_contracts.events import DeploymentCanceled, DeploymentLive
from windlass_eventlog.attending import Attending
from windlass_eventlog.jetstream.deliveries import Deliveries
from windlass_eventlog.message import Message
from windlass_eventlog.reaction import Handled
from windlass_eventlog.reactor import WakeUp


@dataclass(slots=True)
class Delivered:
    """A message of a durable that notes how it was settled."""

    message: Message
    settled: "asyncio.Future[str]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def metadata(self) -> object:
        return SimpleNamespace(sequence=SimpleNamespace(stream=7, consumer=1), num_delivered=1)

    @property
    def subject(self) -> str:
        return self.message.subject

    @property
    def headers(self) -> dict[str, str]:
        return dict(self.message.headers)

    @property
    def data(self) -> bytes:
        return self.message.body

    async def ack(self) -> None:
        self.settled.set_result("done with")

    async def nak(self, delay: float) -> None:
        self.settled.set_result(f"again in {delay:.0f} s")


async def settled(message: Message, quarantined: Container[int] = ()) -> str:
    """Deliver to a service that waits for deployments that are live, and return what became of it."""
    attending = SimpleNamespace(wakes_on={DeploymentLive}, reaction=SimpleNamespace(quarantined=quarantined))
    deliveries = Deliveries(cast("Attending", attending), ack_wait=timedelta(minutes=1))
    delivered = Delivered(message)
    await deliveries.take(cast("Msg", delivered))
    async with asyncio.timeout(60):
        return await delivered.settled


def of_type(kind: str) -> Message:
    good = good_message()
    return replace(good, headers={**good.headers, TYPE_HEADER: kind})


async def test_an_event_that_nobody_waits_for_is_done_with() -> None:
    assert await settled(good_message()) == "done with"


@pytest.mark.parametrize("kind", ["deployment.live.v2", ""])
async def test_an_event_of_a_type_that_a_later_release_may_wait_for_comes_again(kind: str) -> None:
    assert await settled(of_type(kind)) == "again in 60 s"


async def test_an_event_in_quarantine_is_done_with_whatever_its_type() -> None:
    assert await settled(of_type("deployment.live.v2"), quarantined={7}) == "done with"


async def test_what_the_server_sends_again_while_its_acknowledgement_is_under_way_is_not_begun_anew() -> None:
    begun: list[int] = []

    async def attend(wake: WakeUp) -> Handled:
        begun.append(wake.recorded.sequence)
        return Handled()

    reaction = SimpleNamespace(quarantined=())
    attending = SimpleNamespace(wakes_on={DeploymentCanceled}, reaction=reaction, to=attend)
    deliveries = Deliveries(cast("Attending", attending), ack_wait=timedelta(minutes=1))
    for _ in range(2):
        delivered = Delivered(good_message())
        await deliveries.take(cast("Msg", delivered))
        async with asyncio.timeout(60):
            assert await delivered.settled == "done with"

    assert begun == [7]
