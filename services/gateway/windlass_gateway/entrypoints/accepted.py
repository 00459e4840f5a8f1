"""What answers say of commands that are durable."""

from typing import Annotated

from pydantic import BaseModel, Field

from windlass_contracts.ids import DeploymentId, EventId
from windlass_gateway.entrypoints.view import View


class DeploymentAccepted(BaseModel):
    """The request is durable: from here it ends live, failed, canceled or superseded."""

    deployment: DeploymentId
    project: str
    environment: str
    sequence: int
    urls: Annotated[list[str], Field(description="where it will answer; the environment's own address first")]


class Done(BaseModel):
    """What was asked for stands in the log at this sequence; reads take it as `at_least`."""

    sequence: int


class ShredDone(Done):
    """The values are gone."""

    values: Annotated[int, Field(description="how many versions of the value were there, and are not any more")]


class CancelAccepted(Done):
    """The deployment ended."""

    deployment: DeploymentId


class ReplicasAcceptedView(View):
    """A number of containers, or a restart, is durable; `request` is the id that the answer to a restart carries."""

    request: EventId
    project: str
    environment: str
    deployment: DeploymentId
    replicas: int
    sequence: int


class StopAcceptedView(View):
    """The stop of a rollout is durable; `request` is the id that the change of weights in the log carries."""

    request: EventId
    project: str
    environment: str
    weighed: Annotated[DeploymentId | None, Field(description="what gets a part of the requests until then")]
    sequence: int


class SwitchAcceptedView(View):
    """A rollback or promotion is durable; `request` is the id that its answer in the log carries."""

    request: EventId
    project: str
    environment: str
    to: DeploymentId
    before: DeploymentId | None
    sequence: int
