"""Rollbacks, promotions, restorings and weights that have no answer yet."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import PromotionRequested, RestoreRequested, RollbackRequested, WeightRequested
from windlass_contracts.ids import DeploymentId, EnvironmentId, EventId


class RequestState(StrEnum):
    """How far a request is; one that has its answer is forgotten."""

    WANTED = "wanted"
    MOVED = "moved"
    """The aliases moved; the proxies did not confirm it yet."""
    TAKEN_BACK = "taken-back"
    """The aliases moved back; nobody said yet that it failed."""
    GIVEN_UP = "given-up"
    """Somebody said that it failed after the aliases moved: they have to move back."""
    STOPPED = "stopped"
    """A weight that somebody stopped before it was given."""


class Request(BaseModel):
    """Somebody wants an environment to answer with this deployment, or to send it a part of its requests.

    `moved` is the sequence of the decision; `shares` says that it is about a weight, and no address moved by it.
    A restoring names in `before` what fails: only what answers with that goes to the other one, and nobody wished for
    it, so that whatever was asked for behind what fails still wins.
    """

    model_config = ConfigDict(frozen=True)

    why: str
    environment: EnvironmentId
    to: DeploymentId
    before: DeploymentId | None = None
    asked_at: datetime
    sequence: int
    weight: int | None = None
    """The percentage that is wanted, of a request for a weight."""
    state: RequestState = RequestState.WANTED
    moved: int = 0
    shares: bool = False

    @property
    def restores(self) -> bool:
        return self.before is not None


Asked = RollbackRequested | PromotionRequested | RestoreRequested | WeightRequested
Requests = Mapping[EventId, Request]

RESTORE, ROLLOUT = "restore", "rollout"
_WHY: Mapping[type[Event], str] = {
    RollbackRequested: "rollback",
    PromotionRequested: "promotion",
    RestoreRequested: RESTORE,
    WeightRequested: ROLLOUT,
}


def wanted(asked: Asked, recorded: Recorded[Event]) -> Request:
    """Return a request as it begins."""
    return Request(
        why=_WHY[type(asked)],
        environment=asked.environment,
        to=asked.to,
        asked_at=recorded.metadata.time,
        sequence=recorded.sequence,
        before=asked.before if isinstance(asked, RestoreRequested) else None,
        weight=asked.weight if isinstance(asked, WeightRequested) else None,
    )


def with_state(requests: Requests, identity: EventId, state: RequestState) -> Requests:
    return {**requests, identity: requests[identity].model_copy(update={"state": state})}


def with_decision(requests: Requests, identity: EventId, sequence: int, *, shares: bool) -> Requests:
    """Return the requests after one was decided, about a weight or about addresses."""
    update = {"state": RequestState.MOVED, "moved": sequence, "shares": shares}
    return {**requests, identity: requests[identity].model_copy(update=update)}


def without_weights(requests: Requests, environment: EnvironmentId) -> Requests:
    """Return the requests after somebody stopped an environment's rollout: what was wanted is not any more."""
    stopped = {
        identity
        for identity, one in requests.items()
        if (one.environment, one.state) == (environment, RequestState.WANTED) and one.weight is not None
    }
    return {
        identity: one.model_copy(update={"state": RequestState.STOPPED}) if identity in stopped else one
        for identity, one in requests.items()
    }


def without(requests: Requests, gone: EventId) -> Requests:
    return {identity: one for identity, one in requests.items() if identity != gone}


def unanswered(requests: Requests, applied: int) -> Requests:
    """Return the requests that are not answered by the proxies' confirmation of a generation."""
    return {
        identity: one
        for identity, one in requests.items()
        if one.state is not RequestState.MOVED or one.moved > applied
    }
