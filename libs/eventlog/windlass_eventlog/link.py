"""What a service holds in its hands while it is connected."""

from collections.abc import AsyncIterator, Awaitable, Callable, Container, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType

from windlass_contracts.subjects import Service
from windlass_eventlog.appender import Appender
from windlass_eventlog.attending import Attending
from windlass_eventlog.audit import Audit
from windlass_eventlog.background import background
from windlass_eventlog.buckets import Bucket, KeyValue, Objects
from windlass_eventlog.dead_letters.letters import Letters
from windlass_eventlog.dead_letters.unsettled import Unsettled
from windlass_eventlog.frames.port import Frames
from windlass_eventlog.log import EventLog
from windlass_eventlog.logs.port import LogStore
from windlass_eventlog.operations import Answering, Kind, OfProjects, OfVolumes, Operation
from windlass_eventlog.operations.verifying import Check
from windlass_eventlog.postgres.database import Database
from windlass_eventlog.projection import Rows
from windlass_eventlog.reaction import Reaction
from windlass_eventlog.reactor import Reactor
from windlass_eventlog.vault import Vault

Delivering = Callable[[Attending], AbstractAsyncContextManager[Attending]]
Own = Operation | OfProjects | OfVolumes
Operating = Callable[[Sequence[Check]], Answering]


@dataclass(frozen=True, slots=True)
class Link:
    """The log, the rows, and what lies beside them.

    `logs` holds the lines of builds and containers, `terminals` those of commands that run once, `frames` what goes to
    and fro between commands and people; `database` is the service's own, for its records.
    """

    service: Service
    log: EventLog
    rows: Rows
    append: Appender
    objects: Objects
    logs: LogStore
    terminals: LogStore
    frames: Frames
    audit: Audit
    database: Database
    buckets: Mapping[Bucket, KeyValue]
    open_vault: Callable[[], Vault]
    deliver: Delivering
    operate: Operating
    passed: Callable[[], Awaitable[None]]
    unsettled: Unsettled
    quarantined: Container[int] = frozenset()

    def bucket(self, bucket: Bucket) -> KeyValue:
        return self.buckets[bucket]

    @property
    def vault(self) -> Vault:
        """The secrets.

        Raises:
            KeysUnusableError: the keys file is missing or damaged.
        """
        return self.open_vault()

    async def caught_up(self, halting: Callable[[], None]) -> None:
        """Wait until the rows have passed where the log ended at the start: only then may they be acted on.

        Where they halt before that, call `halting`, and wait until an operator lets them go on.
        """
        if self.rows.halted is not None:
            halting()
        await self.passed()

    @asynccontextmanager
    async def operating(
        self, checks: Sequence[Check] = (), own: Mapping[Kind, Own] = MappingProxyType({})
    ) -> AsyncIterator[None]:
        """Do what operators ask this service for while the block lasts.

        `checks` are its own part of `verify`, `own` what it alone can be asked for.
        """
        answering = self.operate(checks)
        answering = replace(answering, operations={**answering.operations, **own})
        async with background(answering.run()):
            yield

    def attending(self, reactors: Sequence[Reactor]) -> Attending:
        """Return what attends to wake-ups by these reactors, and gives up what fails for good."""
        letters = Letters(self.service, self.rows, self.append)
        reaction = Reaction(self.log, self.rows, reactors, self.quarantined)
        return Attending(reaction, letters, self.unsettled, self.rows.position)

    @asynccontextmanager
    async def reacting(self, reactors: Sequence[Reactor]) -> AsyncIterator[Attending]:
        """Wake up the reactors for as long as the block lasts; afterwards none of them is at work any more.

        Yields what attends to wake-ups, for who has some that the log does not bring any more.
        """
        async with self.deliver(self.attending(reactors)) as attending:
            yield attending
