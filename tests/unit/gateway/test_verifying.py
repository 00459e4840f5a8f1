"""The gateway's part of a verification, over the log in memory."""

from datetime import timedelta
from uuid import UUID

from support.gateway_story import REPOSITORY
from support.memory_gateway import MemoryGateway
from windlass_eventlog.clock import utc_now
from windlass_eventlog.operations import Finding, Invariant
from windlass_gateway.application.verifying import VerifyingLog

DEPLOY = {"git": REPOSITORY, "ref": "main", "variables": {"A": "1", "B": "2"}}


async def looked(gateway: MemoryGateway, later: timedelta = timedelta()) -> tuple[dict[str, int], list[Finding]]:
    """Return what was looked at, and what was found."""
    verifying = VerifyingLog(gateway.log, gateway.rows, gateway.quarantine, gateway.secrets, lambda: utc_now() + later)
    counts: dict[str, int] = {}
    findings: list[Finding] = []
    for check in verifying.checks():
        seen = await check.look(lambda _doing, _done, _total: None)
        counts |= {one.what: one.count for one in seen.checked}
        findings += seen.findings
    return counts, findings


async def deployed(gateway: MemoryGateway) -> UUID:
    async with gateway.client() as client:
        answer = await client.post("/deployments", json=DEPLOY)
        assert answer.status_code == 202, answer.text
        return UUID(answer.json()["deployment"])


async def test_an_empty_installation_and_one_at_work_are_clean() -> None:
    gateway = MemoryGateway()
    assert await looked(gateway) == (
        {
            "events": 0,
            "deployments": 0,
            "changes of routes": 0,
            "conditions of appends": 0,
            "requests under way": 0,
            "variables": 0,
        },
        [],
    )
    await gateway.make_live(await deployed(gateway), "shop")
    await deployed(gateway)
    counts, findings = await looked(gateway)
    assert findings == []
    assert (counts["events"], counts["deployments"], counts["requests under way"]) == (gateway.log.length, 2, 1)
    assert counts["variables"] == 2


async def test_a_request_that_waits_longer_than_it_may_is_found() -> None:
    gateway = MemoryGateway()
    deployment = await deployed(gateway)
    assert (await looked(gateway, later=timedelta(seconds=1)))[1] == []
    (finding,) = (await looked(gateway, later=timedelta(hours=3)))[1]
    assert (finding.invariant, finding.code) == (Invariant.ENDS, "overdue")
    assert finding.where == f"deployment {deployment}"


async def test_a_variable_without_its_value_is_found() -> None:
    gateway = MemoryGateway()
    await deployed(gateway)
    (first, *_) = [key async for key in gateway.secrets.keys()]  # noqa: SIM118 - a bucket is no dictionary
    await gateway.secrets.delete(first)
    (finding,) = (await looked(gateway))[1]
    assert (finding.invariant, finding.code) == (Invariant.SECRET, "lost-value")
    assert finding.where in {"variable A", "variable B"}
    assert first not in finding.model_dump_json()
