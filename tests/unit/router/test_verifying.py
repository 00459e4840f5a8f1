"""Verification of the routes finds what the proxies serve otherwise than the rows say, and changes nothing."""

from datetime import timedelta

from support.memory_proxy import MemoryProxy
from support.memory_router import MemoryRouter
from windlass_eventlog.operations import Invariant
from windlass_eventlog.operations.verifying import Looked
from windlass_router.application.projections import ROUTES
from windlass_router.application.verifying import VerifyingRoutes


async def look(router: MemoryRouter) -> Looked:
    (check,) = VerifyingRoutes(router.publisher).checks()
    return await check.look(lambda _doing, _done, _total: None)


async def code(router: MemoryRouter) -> str:
    (finding,) = (await look(router)).findings
    assert finding.invariant is Invariant.ROUTES
    return finding.code


async def test_nothing_is_found_where_the_proxies_serve_what_was_decided() -> None:
    async with MemoryRouter().running() as router:
        await router.founded()
        await router.live()
        marks = list(router.proxy.marks)
        looked = await look(router)
        (routes,) = await router.rows.find(ROUTES, {})
    assert list(looked.findings) == []
    assert [one.count for one in looked.checked] == [len(routes.row.pointers), 1]
    assert router.proxy.marks == marks


async def test_routes_that_somebody_changed_are_found_and_left_alone() -> None:
    async with MemoryRouter().running() as router:
        await router.founded()
        await router.live()
        given = await router.proxy.handed_over()
        assert given is not None
        for spoilt in (given.replace(b"shop", b"shap"), b"", None):
            router.proxy._given = spoilt
            assert await code(router) == "outdated-routes"
            assert await router.proxy.handed_over() == spoilt


async def test_a_proxy_that_serves_something_else_or_nothing_is_found() -> None:
    async with MemoryRouter().running() as router:
        await router.founded()
        await router.live()
        router.proxy.outage = timedelta(seconds=1)
        assert await code(router) == "not-served"
        router.proxy.outage = timedelta()
        assert list((await look(router)).findings) == []
        given = await router.proxy.handed_over()
        router.proxy = router.publisher.proxy = MemoryProxy(_given=given)  # it was started anew, and reads no file
        assert await code(router) == "not-served"


async def test_a_route_that_the_proxy_disabled_is_found() -> None:
    async with MemoryRouter().running() as router:
        await router.founded()
        deployment = await router.live()
        router.proxy.refuses = {f"d-{deployment.hex}"}
        assert await code(router) == "disabled-route"
