"""The port to what asks containers whether they are well."""

from dataclasses import dataclass
from typing import Protocol

from windlass_contracts.config import Probe
from windlass_monitor.domain.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Target:
    """A container's own address and port, and its name, as its start was recorded: nothing else is ever probed."""

    address: str
    port: int
    container: str = ""


class Prober(Protocol):
    """Probes containers."""

    async def probe(self, target: Target, probe: Probe) -> Outcome:
        """Return what comes of one probe, within the probe's timeout. Every misbehaviour of the app is an outcome."""
        ...
