"""The use case of an inspection: what a repository holds, and how it would be deployed, before anything of it is."""

from dataclasses import dataclass

from windlass_contracts.events import InspectionRequested
from windlass_contracts.events.deployment import GitSource
from windlass_contracts.ids import EventId, InspectionId
from windlass_contracts.subjects import AggregateKey
from windlass_gateway.application.access import Caller, Permission
from windlass_gateway.application.decisions import Signature, append_all
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.domain.writes import Write


@dataclass(frozen=True, slots=True)
class Asked:
    """The inspection that was asked for, and the sequence of its request."""

    inspection: InspectionId
    sequence: int


@dataclass(frozen=True, slots=True)
class Inspecting:
    """Asks the builder to look into repositories."""

    gateway: Gateway

    async def request(self, caller: Caller, source: GitSource, root: str | None = None) -> Asked:
        """Return once the request is durable; the builder's answer is an event about the same inspection.

        Raises:
            Refusal: the caller may not deploy.
            EventLogError: the log did not take it.
        """
        caller.demand(Permission.DEPLOY)
        inspection = InspectionId(self.gateway.fresh_id())
        key = AggregateKey.of_inspection(caller.team, inspection)
        write = Write(key, InspectionRequested(source=source, root=root), 0)
        signature = Signature(caller.actor, EventId(self.gateway.fresh_id()))
        return Asked(inspection, await append_all(self.gateway, [write], signature))
