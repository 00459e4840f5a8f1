"""Deciding a rollback: an environment's addresses go back to a version that was live there and still exists."""

from collections.abc import Sequence
from dataclasses import dataclass

from windlass_contracts.events import RollbackRequested
from windlass_contracts.ids import DeploymentId
from windlass_gateway.domain.deployment import Deployment
from windlass_gateway.domain.environments import Environment
from windlass_gateway.domain.refusals import NothingToRollBackError, RollbackUnderWayError
from windlass_gateway.domain.releases import Releases
from windlass_gateway.domain.routes import AliasState, Routes

_LIST = "`windlass ps PROJECT` lists its deployments; name one that was live with --to."


@dataclass(frozen=True, slots=True)
class Candidate:
    """A deployment that might answer again."""

    id: DeploymentId
    row: Deployment


def decide_rollback(
    environment: Environment, alias: AliasState | None, target: Candidate, releases: Releases
) -> RollbackRequested:
    """Return the request to go back to `target`.

    Raises:
        NothingToRollBackError: it cannot answer there: the message says why.
    """
    address = _address(environment, alias)
    obstacle = _obstacle(environment, address, target, releases)
    if obstacle is not None:
        raise NothingToRollBackError(obstacle, field="to", next_step=_LIST)
    return RollbackRequested(environment=environment.id, alias=address.name, before=address.current, to=target.id)


def decide_step_back(
    environment: Environment, routes: Routes | None, earlier: Sequence[Candidate], releases: Releases
) -> RollbackRequested:
    """Return the request to go back to the latest version before the present one that still can answer.

    While addresses of the project are on their way back, nobody knows which version is the one before: the same wish
    sent twice would end where it began.

    Raises:
        RollbackUnderWayError: somebody goes back at this moment.
        NothingToRollBackError: there is none.
    """
    if routes is not None and routes.awaiting:
        raise RollbackUnderWayError
    alias = None if routes is None else routes.alias_of(environment.id)
    address = _address(environment, alias)
    for target in earlier:
        if _obstacle(environment, address, target, releases) is None:
            return decide_rollback(environment, address, target, releases)
    raise NothingToRollBackError(
        f"No earlier version of {environment.name} is there to go back to.",
        field="to",
        next_step="Deploy the commit that you want: `windlass deploy --git URL --ref COMMIT`.",
    )


def can_return(environment: Environment, alias: AliasState | None, target: Candidate, releases: Releases) -> bool:
    """Whether a rollback to `target` would be taken now."""
    return alias is not None and alias.current is not None and _obstacle(environment, alias, target, releases) is None


def _address(environment: Environment, alias: AliasState | None) -> AliasState:
    if alias is None or alias.current is None:
        raise NothingToRollBackError(
            f"Nothing was ever live in {environment.name}.",
            field="environment",
            next_step="Deploy to it first: `windlass deploy`.",
        )
    return alias


def _obstacle(environment: Environment, alias: AliasState, target: Candidate, releases: Releases) -> str | None:
    """Return why the target cannot answer at the address."""
    if target.row.environment != environment.id:
        return f"Deployment {target.id.hex[:8]} was made for another environment than {environment.name}: promote it."
    return cannot_answer(alias.current, target, releases)


def cannot_answer(current: DeploymentId | None, target: Candidate, releases: Releases) -> str | None:
    """Return why the target cannot answer instead of `current`, None where it can."""
    row, short = target.row, target.id.hex[:8]
    if target.id == current:
        return f"Deployment {short} is the one that answers now."
    if not row.was_live or row.release is None:
        return f"Deployment {short} was never live: it is {row.phase}."
    if releases.gone_since(row.release, row.built_sequence):
        return f"The release of deployment {short} was retired: it cannot be started again."
    return None
