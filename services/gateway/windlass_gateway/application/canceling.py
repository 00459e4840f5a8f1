"""The use case of a cancel."""

from dataclasses import dataclass

from windlass_contracts.ids import DeploymentId, EventId
from windlass_contracts.subjects import AggregateKey
from windlass_gateway.application.access import Caller, Permission
from windlass_gateway.application.decisions import Signature, append_all, decided
from windlass_gateway.application.finding import Finder
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.domain.canceling import decide_cancel
from windlass_gateway.domain.writes import Write


@dataclass(frozen=True, slots=True)
class Canceled:
    """The deployment that was canceled, and the sequence of its end."""

    deployment: DeploymentId
    sequence: int


@dataclass(frozen=True, slots=True)
class Canceling:
    """Ends deployments on demand."""

    gateway: Gateway

    async def cancel(self, caller: Caller, written: str) -> Canceled:
        """End a deployment, given by its id or the beginning of it.

        Raises:
            Refusal: there is none, or it is too late.
            EventLogError: the log did not take it.
        """
        caller.demand(Permission.DEPLOY)
        identity = EventId(self.gateway.fresh_id())

        async def attempt() -> Canceled:
            found = await Finder(self.gateway.rows, caller.team).deployment(written)
            deployment = DeploymentId(found.key)
            event = decide_cancel(found.row)
            key = AggregateKey.of_deployment(found.row.team, found.row.project, deployment)
            signature = Signature(caller.actor, identity, found.row.correlation)
            sequence = await append_all(self.gateway, [Write(key, event, found.sequence)], signature)
            return Canceled(deployment, sequence)

        return await decided(self.gateway, attempt)
