"""The steps that the router can take in a project, one at a time."""

from dataclasses import dataclass
from datetime import datetime

from windlass_contracts.event import Event
from windlass_contracts.ids import DeploymentId


@dataclass(frozen=True, slots=True)
class AppendToDeployment:
    """Say this of a deployment."""

    deployment: DeploymentId
    event: Event


@dataclass(frozen=True, slots=True)
class AppendToRoutes:
    """Say this of the project's routes."""

    event: Event


@dataclass(frozen=True, slots=True)
class ConfirmRoutes:
    """Let the proxies serve the routes as of this sequence, and say so once they do, or after `until` that not."""

    sequence: int
    decided_at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """There is nothing to do before somebody else says something, or this moment comes.

    One that is to be waited for `alone` keeps everything else in the project from being done meanwhile.
    """

    at: datetime
    why: str
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Rest:
    """There is nothing to do."""


Step = AppendToDeployment | AppendToRoutes | ConfirmRoutes | WaitUntil | Rest
