"""What a service holds in its hands while it is connected."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from windlass_contracts.subjects import Service
from windlass_eventlog.appender import Appender
from windlass_eventlog.buckets import Bucket, KeyValue, Objects
from windlass_eventlog.log import EventLog
from windlass_eventlog.logs.port import LogStore
from windlass_eventlog.postgres.database import Database
from windlass_eventlog.projection import Rows
from windlass_eventlog.reaction import Reaction
from windlass_eventlog.reactor import Reactor
from windlass_eventlog.vault import Vault

Delivering = Callable[[Reaction], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Link:
    """The log, the rows, and what lies beside them.

    `logs` holds the lines of builds and containers; `database` is the service's own, for its records.
    """

    service: Service
    log: EventLog
    rows: Rows
    append: Appender
    objects: Objects
    logs: LogStore
    database: Database
    buckets: Mapping[Bucket, KeyValue]
    open_vault: Callable[[], Vault]
    deliver: Delivering

    def bucket(self, bucket: Bucket) -> KeyValue:
        return self.buckets[bucket]

    @property
    def vault(self) -> Vault:
        """The secrets.

        Raises:
            KeysUnusableError: the keys file is missing or damaged.
        """
        return self.open_vault()

    @asynccontextmanager
    async def reacting(self, reactors: Sequence[Reactor]) -> AsyncIterator[None]:
        """Wake up the reactors for as long as the block lasts; afterwards none of them is at work any more."""
        async with self.deliver(Reaction(self.log, self.rows, reactors)):
            yield
