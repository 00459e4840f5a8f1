"""What shredding a variable's values costs: which deployments need them, and what for."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from windlass_contracts.ids import DeploymentId, EnvironmentId
from windlass_gateway.domain.deployment import Deployment
from windlass_gateway.domain.environments import Environments
from windlass_gateway.domain.releases import Releases
from windlass_gateway.domain.rolling_back import Candidate, can_return
from windlass_gateway.domain.routes import DEPLOYMENT_ALIAS, Routes


class Loss(StrEnum):
    """What a deployment cannot do any more once a value that it was made with is gone."""

    LIVE = "live"
    """It answers now, and its containers keep what they were given: but new ones of it cannot be started."""

    UNDER_WAY = "under way"
    """It has not been started yet, most likely: it fails."""

    RETURN = "rollback"
    """An environment could go back to it until now."""


@dataclass(frozen=True, slots=True)
class Affected:
    """A deployment that loses something."""

    id: DeploymentId
    environment: EnvironmentId
    commit: str | None
    loss: Loss


@dataclass(frozen=True, slots=True)
class Around:
    """What says where a project's deployments answer, and could answer again."""

    environments: Environments
    routes: Routes | None
    releases: Releases


def affected(candidates: Iterable[Candidate], doomed: Collection[UUID], around: Around) -> tuple[Affected, ...]:
    """Return the deployments that lose something when these values go, those that answer now first, the latest first.

    Deployments that ended without ever being live, and those whose release is gone, lose nothing.
    """
    needing = (one for one in candidates if any(variable.secret in doomed for variable in one.row.variables))
    latest = sorted(needing, key=lambda one: -one.row.requested_sequence)
    found = [
        Affected(one.id, one.row.environment, one.row.commit, loss)
        for one in latest
        if (loss := _loss(one, around)) is not None
    ]
    order = list(Loss)
    return tuple(sorted(found, key=lambda one: order.index(one.loss)))


def _loss(candidate: Candidate, around: Around) -> Loss | None:
    row = candidate.row
    pointing = () if around.routes is None else around.routes.pointing_at(candidate.id)
    if any(alias.kind != DEPLOYMENT_ALIAS for alias in pointing):
        return Loss.LIVE
    if not row.ended:
        return Loss.UNDER_WAY
    environment = around.environments.by_id(row.environment)
    alias = None if around.routes is None else around.routes.alias_of(row.environment)
    if environment is not None and can_return(environment, alias, candidate, around.releases):
        return Loss.RETURN
    return None


def missing_names(row: Deployment, gone: Collection[UUID]) -> tuple[str, ...]:
    """Return the names of the deployment's variables whose values are gone."""
    return tuple(sorted(variable.name for variable in row.variables if variable.secret in gone))
