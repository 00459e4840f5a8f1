"""Output of processes, collected by a whole logs service over the log in memory."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from support.told_deployment import ToldDeployment
from windlass_contracts.logs import LogLine
from windlass_eventlog.clock import utc_now
from windlass_eventlog.logs.memory import MemoryLogStore
from windlass_eventlog.logs.port import DeploymentLog
from windlass_eventlog.memory.buckets import MemoryKeyValue
from windlass_eventlog.memory.keys import MemoryKeys
from windlass_eventlog.memory.log import MemoryLog
from windlass_eventlog.memory.rows import MemoryRows
from windlass_eventlog.reaction import Handled, Reaction
from windlass_eventlog.reactor import WakeUp
from windlass_eventlog.vault import Vault
from windlass_logs.adapters.processes import ProcessLogSource
from windlass_logs.application.collector import Collector
from windlass_logs.application.following import Following
from windlass_logs.application.projections import DEPLOYMENTS


@dataclass
class Node:
    """A node that runs processes, and the log of its installation."""

    home: Path
    log: MemoryLog = field(default_factory=MemoryLog)
    store: MemoryLogStore = field(default_factory=MemoryLogStore)
    vault: Vault = field(default_factory=lambda: Vault(MemoryKeyValue(), MemoryKeys()))

    def __post_init__(self) -> None:
        self.told = ToldDeployment(self.log)

    async def started(self, container: str, variables: dict[str, UUID] | None = None) -> None:
        self._folder(container).mkdir(parents=True)
        await self.told.built(variables)
        await self.told.started(container)

    def writes(self, container: str, *lines: str) -> None:
        with (self._folder(container) / "0000000001.log").open("a") as output:
            output.writelines(f"{line}\n" for line in lines)

    def removes(self, container: str) -> None:
        shutil.rmtree(self._folder(container).parent)

    def _folder(self, container: str) -> Path:
        return self.home / "processes" / "runners" / container / "log"

    @asynccontextmanager
    async def logs_service(self, node: str = "node-1") -> AsyncIterator[Collector]:
        """Run the service, as its `app` wires it, from the head of the log on."""
        rows = MemoryRows(self.log, [DEPLOYMENTS])
        with suppress(asyncio.CancelledError):
            async with asyncio.TaskGroup() as tasks:
                following = Following(ProcessLogSource(self.home), self.store, self.vault)
                collector = Collector(rows, following, node, utc_now, tasks)
                await collector.restore()
                tasks.create_task(self._react(Reaction(self.log, rows, [collector.reactor]), await self.log.head()))
                yield collector
                raise asyncio.CancelledError

    async def _react(self, reaction: Reaction, after: int) -> None:
        async with aclosing(self.log.read(after)) as events:
            async for recorded in events:
                if type(recorded.event) in reaction.wakes_on:
                    assert await reaction.to(WakeUp(recorded, 1)) == Handled()

    async def stored(self, count: int) -> list[LogLine]:
        """Wait until that many lines are stored, and return all that are."""
        lines: list[LogLine] = []
        async with aclosing(self.store.follow(DeploymentLog.of(self.told.key))) as batches:
            while len(lines) < count:
                lines += (await anext(batches)).lines
        return lines


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


async def test_what_a_container_writes_is_stored_with_its_time_and_stream(node: Node) -> None:
    async with node.logs_service():
        await node.started("web-0")
        node.writes("web-0", "5 1 up and running", "7 2 oh no")
        lines = await node.stored(2)

    assert lines == [
        LogLine(time_ns=5, stream="out", text="up and running"),
        LogLine(time_ns=7, stream="err", text="oh no"),
    ]


async def test_the_values_of_the_variables_are_not_stored(node: Node) -> None:
    secret = await node.vault.store("hunter2-hunter2")
    async with node.logs_service():
        await node.started("web-0", {"PASSWORD": secret})
        node.writes("web-0", "5 1 connecting with hunter2-hunter2")
        (line,) = await node.stored(1)

    assert line.text == "connecting with ***"


async def test_a_value_that_was_deleted_keeps_no_other_from_being_replaced(node: Node) -> None:
    deleted, kept = await node.vault.store("gone-gone"), await node.vault.store("hunter2-hunter2")
    await node.vault.shred(deleted)
    async with node.logs_service():
        await node.started("web-0", {"DELETED": deleted, "PASSWORD": kept})
        node.writes("web-0", "5 1 hunter2-hunter2")
        (line,) = await node.stored(1)

    assert line.text == "***"


async def test_nothing_is_stored_while_the_secrets_cannot_be_read(node: Node) -> None:
    secret, right = await node.vault.store("hunter2-hunter2"), node.vault
    node.vault = Vault(right.bucket, MemoryKeys())
    await node.started("web-0", {"PASSWORD": secret})
    node.writes("web-0", "5 1 hunter2-hunter2")
    async with node.logs_service():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await node.stored(1)
    node.vault = right
    async with node.logs_service():
        (line,) = await node.stored(1)

    assert line.text == "***"


async def test_a_service_that_was_away_goes_on_behind_the_last_line(node: Node) -> None:
    await node.started("web-0")
    for number in range(5):
        async with node.logs_service():
            node.writes("web-0", *(f"{10 * number + line} 1 {number}/{line}" for line in range(3)))
            await node.stored(3 * (number + 1))
    node.writes("web-0", "100 1 while nobody read")
    async with node.logs_service():
        lines = await node.stored(16)

    expected = [f"{number}/{line}" for number in range(5) for line in range(3)]
    assert [line.text for line in lines] == [*expected, "while nobody read"]


async def test_the_last_lines_of_a_container_are_read_although_it_stopped_while_nobody_read(node: Node) -> None:
    await node.started("web-0")
    node.writes("web-0", "1 2 Traceback: the cause of it all")
    await node.told.stopped("web-0")
    async with node.logs_service():
        (line,) = await node.stored(1)

    assert line.text == "Traceback: the cause of it all"


async def test_a_container_that_stopped_long_ago_is_not_looked_for(node: Node) -> None:
    node.told.clock = lambda: utc_now() - timedelta(hours=1)
    await node.started("web-0")
    await node.told.stopped("web-0")
    async with node.logs_service() as service:
        assert service._starts == {}


async def test_a_container_of_another_node_is_left_to_that_one(node: Node) -> None:
    await node.started("web-0")
    async with node.logs_service("node-2") as service:
        assert service._starts == {}


async def test_a_container_that_was_removed_and_started_anew_under_its_name_is_followed_again(node: Node) -> None:
    async with node.logs_service():
        await node.started("web-0")
        node.writes("web-0", "1 1 first life")
        await node.stored(1)
        node.removes("web-0")
        (node.home / "processes" / "runners" / "web-0" / "log").mkdir(parents=True)
        node.writes("web-0", "2 1 second life")
        await node.told.started("web-0")
        lines = await node.stored(2)

    assert [line.text for line in lines] == ["first life", "second life"]
