"""Rollbacks, promotions and restorings that have no answer yet."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

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


class Request(BaseModel):
    """Somebody wants an environment to answer with this deployment. `moved` is the sequence of the decision.

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
    state: RequestState = RequestState.WANTED
    moved: int = 0

    @property
    def restores(self) -> bool:
        return self.before is not None


Requests = Mapping[EventId, Request]


def with_state(requests: Requests, identity: EventId, state: RequestState, moved: int = 0) -> Requests:
    request = requests[identity].model_copy(update={"state": state, "moved": moved})
    return {**requests, identity: request}


def without(requests: Requests, gone: EventId) -> Requests:
    return {identity: one for identity, one in requests.items() if identity != gone}


def unanswered(requests: Requests, applied: int) -> Requests:
    """Return the requests that are not answered by the proxies' confirmation of a generation."""
    return {
        identity: one
        for identity, one in requests.items()
        if one.state is not RequestState.MOVED or one.moved > applied
    }
