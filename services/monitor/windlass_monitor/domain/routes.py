"""The row of a project's routes: which deployment answers in which environment."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import AliasesChanged, WeightChanged
from windlass_contracts.ids import DeploymentId, EnvironmentId, ProjectId

ENVIRONMENT_ALIAS = "environment"
"""The kind of alias that is an environment's own address."""


class Routes(BaseModel):
    """`current` has the environment's addresses; `weighted` gets a part of its requests."""

    model_config = ConfigDict(frozen=True)

    project: ProjectId
    current: Mapping[EnvironmentId, DeploymentId] = {}
    weighted: Mapping[EnvironmentId, DeploymentId] = {}


def evolve(row: Routes | None, recorded: Recorded[Event]) -> Routes | None:
    """Fold one event into the row."""
    row = row or Routes(project=recorded.project)
    match recorded.event:
        case AliasesChanged() as change:
            current = _moved(row.current, change)
            weighted = {one: other for one, other in row.weighted.items() if current.get(one) != other}
            return row.model_copy(update={"current": current, "weighted": weighted})
        case WeightChanged(environment=environment, deployment=deployment, weight=weight):
            others = {one: other for one, other in row.weighted.items() if one != environment}
            return row.model_copy(update={"weighted": {**others, environment: deployment} if weight else others})
        case _:
            return row


def _moved(
    current: Mapping[EnvironmentId, DeploymentId], change: AliasesChanged
) -> Mapping[EnvironmentId, DeploymentId]:
    found = dict(current)
    for move in change.moves:
        if move.alias.kind != ENVIRONMENT_ALIAS or move.alias.environment is None:
            continue
        found.pop(move.alias.environment, None)
        if move.after is not None:
            found[move.alias.environment] = move.after
    return found
