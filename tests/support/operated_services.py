"""Services that do nothing but answer operators, over the buckets of a gateway in memory."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from support.memory_gateway import MemoryGateway
from windlass_contracts.subjects import Service
from windlass_eventlog.background import background
from windlass_eventlog.clock import utc_now
from windlass_eventlog.operations import (
    Answering,
    Checked,
    Finding,
    Halt,
    Invariant,
    Kind,
    OfProjects,
    Operation,
    Rebuilt,
    Report,
    Result,
    Standing,
    Verified,
)

WRONG = Finding.of(Invariant.RUNNING, "not-running", "run-1", "It should run, and does not.", "Restart the builder.")
Operations = Mapping[Kind, Operation]
LOOKED = [Checked(invariant=Invariant.RUNNING, what="containers", count=3)]


def halted_at(sequence: int) -> Halt:
    return Halt(sequence=sequence, why="The rows halt.")


async def stood(halt: Halt | None, report: Report) -> Result:
    del report
    return Standing(position=0 if halt is None else halt.sequence - 1, halt=halt)


async def rebuilt(report: Report) -> Result:
    report("folds events", 500, 1_000)
    return Rebuilt(sequence=1_000, seconds=0.5)


async def verified(findings: list[Finding], report: Report) -> Result:
    report("compares", 0, 0)
    return Verified.of(7, LOOKED, findings)


def operations(halt: Halt | None = None, findings: list[Finding] | None = None) -> Operations:
    return {
        Kind.REBUILD: rebuilt,
        Kind.VERIFY: partial(verified, findings or []),
        Kind.STATE: partial(stood, halt),
    }


@asynccontextmanager
async def answering(
    gateway: MemoryGateway, services: Mapping[Service, Mapping[Kind, Operation | OfProjects]]
) -> AsyncIterator[None]:
    """Let the services answer for as long as the block lasts."""
    async with AsyncExitStack() as stack:
        for service, its in services.items():
            answers = Answering(service, gateway.operations, its, utc_now)
            await stack.enter_async_context(background(answers.run()))
        yield
