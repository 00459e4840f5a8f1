"""Whoever remembers what was made of a project's rows knows what one who makes everything anew does."""

from support import router_events as say
from support.memory_router import SITE, MemoryRouter
from support.router_events import PRODUCTION, PROJECT
from windlass_contracts.events import DomainAssigned
from windlass_router.application.targets import Targets
from windlass_router.domain.configuration import Target


async def test_what_is_remembered_is_what_the_rows_say_after_each_event() -> None:
    """A history, told without looking; then it is looked at event by event."""
    async with MemoryRouter().running() as router:
        await router.founded()
        first, second = await router.live(), await router.live()
        await router.tell(PROJECT, DomainAssigned(host="shop.example", environment=PRODUCTION))
        await router.tell(first, say.unhealthy(first))
        await router.reactors.settle()
        await router.tell(first, say.healthy(first))
        await router.tell(PROJECT, say.weight(first, 20))
        await router.reactors.settle()
        await router.tell(second, say.stopped(second))
        await router.tell(PROJECT, say.rollback(first))
        await router.reactors.settle()
        await router.live()

        router.rows = type(router.rows)(router.log, router.rows.projections)
        remembering, seen = Targets(router.rows, SITE.domain), list[list[Target]]()
        for sequence in range(1, router.log.length + 1):
            router.rows.stay_at(sequence)
            found = await remembering.read()
            assert found == await Targets(router.rows, SITE.domain).read() == await remembering.read()
            seen.append(found)
        told = [target for found in seen for target in found]
        assert any(target.shares for target in told)
        assert any(target.brought for target in told)
        assert any(not target.servers for target in told)
