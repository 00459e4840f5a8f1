"""What goes to AUDIT is bounded, waits for nobody, and says what was left out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from windlass_eventlog.audit import AuditEntry, Outcome, network_of
from windlass_eventlog.clock import utc_now
from windlass_eventlog.errors import LogUnavailableError
from windlass_eventlog.memory import MemoryAudit
from windlass_gateway.application.auditing import Auditing, Deed
from windlass_gateway.domain.rates import Rate, Rates

SOMEBODY = "token:ci"


def refusal(address: str = "198.51.100.7", actor: str = "anonymous") -> Deed:
    return Deed("POST /api/v1/deployments", "unauthenticated", 401, actor, network_of(address))


def act() -> Deed:
    return Deed("keys rotate", "done", 200, SOMEBODY, "127.0.0.0/24")


@dataclass(frozen=True)
class Unsteady(MemoryAudit):
    """Is away until it is `back`; tells when it holds `wanted` entries."""

    back: asyncio.Event = field(default_factory=asyncio.Event)
    tried: asyncio.Event = field(default_factory=asyncio.Event)
    kept: "asyncio.Queue[AuditEntry]" = field(default_factory=asyncio.Queue)

    async def append(self, entry: AuditEntry) -> None:
        self.tried.set()
        if not self.back.is_set():
            raise LogUnavailableError("away")
        await super().append(entry)
        self.kept.put_nowait(entry)

    async def take(self, count: int) -> list[AuditEntry]:
        async with asyncio.timeout(60):
            return [await self.kept.get() for _ in range(count)]


@dataclass
class Hands:
    """The auditing, and a clock that stands still until it is moved."""

    audit: Unsteady = field(default_factory=Unsteady)
    now: float = 0.0

    def __post_init__(self) -> None:
        self.auditing = Auditing(self.audit, utc_now, lambda: self.now, uuid4, try_again_after_s=0)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.auditing.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})


async def test_a_flood_from_many_addresses_leaves_little_and_the_next_entry_says_how_much_was_left_out() -> None:
    hands = Hands()
    for number in range(5_000):
        hands.auditing.refused(refusal(f"10.{number // 250}.{number % 250}.1"))
    assert hands.auditing.waiting == 300
    hands.now = 1
    hands.auditing.refused(refusal())
    hands.audit.back.set()
    async with hands.running():
        kept = await hands.audit.take(301)
    assert [one.left_out for one in kept] == [0] * 300 + [4_700]


async def test_a_flood_of_strangers_hides_nothing_of_those_who_proved_who_they_are() -> None:
    hands = Hands()
    for number in range(5_000):
        hands.auditing.refused(refusal(f"10.{number // 250}.{number % 250}.1"))
    waiting = hands.auditing.waiting
    hands.auditing.refused(refusal(actor=SOMEBODY))
    hands.auditing.noted(act())
    assert hands.auditing.waiting == waiting + 2


async def test_one_network_cannot_take_what_belongs_to_others() -> None:
    hands = Hands()
    for _ in range(1_000):
        hands.auditing.refused(refusal())
    assert hands.auditing.waiting == 30
    hands.auditing.refused(refusal("203.0.113.9"))
    assert hands.auditing.waiting == 31


async def test_while_nats_is_away_entries_wait_in_order_and_no_more_than_have_a_place() -> None:
    hands = Hands()
    async with hands.running():
        for number in range(2_000):
            hands.now = float(number)
            hands.auditing.refused(refusal(f"198.51.{number % 100}.1"))
        assert hands.auditing.waiting == 1_000
        for _ in range(5_000):
            hands.auditing.noted(act())
        assert hands.auditing.waiting == 4_000
        async with asyncio.timeout(60):
            await hands.audit.tried.wait()
        hands.audit.back.set()
        kept = await hands.audit.take(4_000)
        hands.auditing.noted(act())
        (after,) = await hands.audit.take(1)
    assert [one.outcome for one in kept] == [Outcome.REFUSED] * 1_000 + [Outcome.DONE] * 3_000
    assert len({one.id for one in kept}) == 4_000
    assert sum(one.left_out for one in [*kept, after]) == 1_000 + 2_000


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 3)), max_size=200))
def test_no_more_is_let_through_than_a_burst_and_what_came_since(asked: list[tuple[int, float]]) -> None:
    rates, now = Rates(Rate(3, 0.5), Rate(6, 1.0), remembered=2), 0.0
    admitted: list[tuple[int, float]] = []
    for key, passed in asked:
        now += passed
        if rates.admits(str(key), now):
            admitted.append((key, now))
    assert len(admitted) <= 6 + now + 1e-6


def test_a_key_is_let_through_again_once_its_bucket_has_filled() -> None:
    rates = Rates(Rate(2, 0.5), Rate(100, 100))
    assert [rates.admits("a", 0), rates.admits("a", 0), rates.admits("a", 1.9)] == [True, True, False]
    assert [rates.admits("b", 1.9), rates.admits("a", 2.0), rates.admits("a", 2.0)] == [True, True, False]


def test_forgotten_keys_leave_nothing_behind() -> None:
    rates = Rates(Rate(1, 0), Rate(10_000, 0), remembered=3)
    for number in range(1_000):
        assert rates.admits(str(number), 0)
    assert rates.remembers() == 3
