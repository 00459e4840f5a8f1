"""Reading the output of one container, from where its log ends, until the container is gone."""

from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import dataclass

import stamina

from windlass_contracts.events.deployment import VariableVersion
from windlass_eventlog.errors import EventLogError
from windlass_eventlog.logs.port import DeploymentLog, LogStore, RawLine
from windlass_eventlog.logs.resumption import resume_point
from windlass_eventlog.logs.writer import LogWriter
from windlass_eventlog.vault import Vault
from windlass_logs.application.log_source import LogSource, Position
from windlass_logs.application.secrets import redaction_of

_LONGEST_PAUSE_S = 5.0


@dataclass(frozen=True, slots=True)
class Following:
    """Reads containers' lines from the engine and writes them, without their secrets, to the deployment's log."""

    source: LogSource
    store: LogStore
    vault: Vault

    async def follow(self, container: str, log: DeploymentLog, variables: Iterable[VariableVersion]) -> None:
        """Store the container's lines until it is gone; what is away meanwhile is waited for.

        The engine keeps what was written: nothing is lost as long as it does.
        """
        async for attempt in stamina.retry_context(
            on=EventLogError, attempts=None, timeout=None, wait_max=_LONGEST_PAUSE_S
        ):
            with attempt:
                await self._once(container, log, variables)

    async def _once(self, container: str, log: DeploymentLog, variables: Iterable[VariableVersion]) -> None:
        redaction = await redaction_of(self.vault, variables)
        stored = await resume_point(self.store, log, container)
        after = None if stored is None else Position(stored.time_ns, stored.seen - 1)
        async with (
            LogWriter(self.store, log, container, redaction) as writer,
            aclosing(self.source.follow(container, after)) as lines,
        ):
            async for line in lines:
                await writer.write(RawLine(line.position.time_ns, line.stream.value, line.data))
