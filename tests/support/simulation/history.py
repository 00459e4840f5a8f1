"""What hypothesis chooses, and what a kept story consists of: what people and fate do, and how all is interleaved."""

import json
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from windlass_contracts.subjects import Service


class App(StrEnum):
    """What becomes of a commit."""

    GOOD = "good"
    LATE = "late"  # answers after a few seconds
    SICK = "sick"  # answers, but never as it should
    DYING = "dying"  # ends before it answers
    BROKEN = "broken"  # cannot be built
    SLOW = "slow"  # takes its time to be built
    LOST = "lost"  # cannot be fetched


class _Act(BaseModel):
    model_config = ConfigDict(frozen=True)

    after: float = 0.0
    """Seconds after the act before, or after the event that it waits for."""
    upon: str | None = None
    """The type of event that it waits for, at most half a minute: the next one after the act before."""


class Deploy(_Act):
    """Somebody deploys a commit, of a branch or by itself; `again` sends the same request as the last time."""

    do: Literal["deploy"] = "deploy"
    project: int = 0
    environment: int = 0
    branch: int | None = None
    app: App = App.GOOD
    replicas: int = 1
    again: bool = False
    secret: bool = False
    before: Literal["nothing", "migrate", "fail"] = "nothing"
    """What runs before the start."""
    rollout: str = ""
    """The project's steps from now on; those that it has stay as they are where nothing is said, `none` ends them."""


class Push(_Act):
    """A branch is pushed; `again` delivers the last push once more."""

    do: Literal["push"] = "push"
    project: int = 0
    branch: int = 0
    app: App = App.GOOD
    again: bool = False


class Cancel(_Act):
    """Somebody cancels a deployment, counted from the latest request."""

    do: Literal["cancel"] = "cancel"
    which: int = 0


class RollBack(_Act):
    """Somebody wants an earlier version back: the one before, or one counted from the latest request."""

    do: Literal["roll-back"] = "roll-back"
    project: int = 0
    environment: int = 0
    which: int | None = None


class Promote(_Act):
    """Somebody promotes a deployment, counted from the latest request, to an environment."""

    do: Literal["promote"] = "promote"
    environment: int = 0
    which: int = 0


class Release(_Act):
    """Somebody releases an environment."""

    do: Literal["release"] = "release"
    project: int = 0
    environment: int = 0


class Weigh(_Act):
    """Somebody gives a deployment, counted from the latest request, a percentage of an environment's requests."""

    do: Literal["weigh"] = "weigh"
    environment: int = 0
    which: int = 0
    percent: int = 50


class StopRollout(_Act):
    """Somebody lets all of an environment's requests go to what has it."""

    do: Literal["stop-rollout"] = "stop-rollout"
    project: int = 0
    environment: int = 0


class Scale(_Act):
    """Somebody scales what answers in an environment."""

    do: Literal["scale"] = "scale"
    project: int = 0
    environment: int = 0
    replicas: int = 2


class Restart(_Act):
    """Somebody wants fresh containers for what answers in an environment; or for a deployment, counted as above."""

    do: Literal["restart"] = "restart"
    project: int = 0
    environment: int = 0
    which: int | None = None


class Redeploy(_Act):
    """Somebody deploys the commit of a deployment again."""

    do: Literal["redeploy"] = "redeploy"
    which: int = 0


class SetVariable(_Act):
    """Somebody sets a variable."""

    do: Literal["set-variable"] = "set-variable"
    project: int = 0
    name: int = 0


class UnsetVariable(_Act):
    """Somebody removes a variable."""

    do: Literal["unset-variable"] = "unset-variable"
    project: int = 0
    name: int = 0


class Kill(_Act):
    """A service is killed, and started again after `away` seconds."""

    do: Literal["kill"] = "kill"
    service: Service = Service.ROUTER
    away: float = 0.0


class Blackout(_Act):
    """The engine dies with all containers and is back soon; or the whole machine, and is for `away` seconds."""

    do: Literal["blackout"] = "blackout"
    machine: bool = False
    away: float = 0.0


class Hold(_Act):
    """A service's rows stand still for a while."""

    do: Literal["hold"] = "hold"
    service: Service = Service.ROUTER
    seconds: float = 1.0


class Outage(_Act):
    """The proxy does not take up new routes for a while."""

    do: Literal["outage"] = "outage"
    seconds: float = 1.0


class Incident(_Act):
    """Something happens to a container, counted from the latest one."""

    do: Literal["incident"] = "incident"
    what: Literal["ends", "removed", "sick", "well", "errs"] = "ends"
    which: int = 0


Wish = (
    Deploy
    | Push
    | Cancel
    | RollBack
    | Promote
    | Release
    | Weigh
    | StopRollout
    | Scale
    | Restart
    | Redeploy
    | SetVariable
    | UnsetVariable
)
"""What people ask for."""

Act = Annotated[
    Wish | Kill | Blackout | Hold | Outage | Incident,
    Field(discriminator="do"),
]


class History(BaseModel):
    """`faults` of 256 choices are something going wrong; `schedule` is hexadecimal, a byte for each choice."""

    model_config = ConfigDict(frozen=True)

    acts: tuple[Act, ...]
    faults: int = 0
    schedule: str = ""

    def written(self) -> str:
        """Return it in the form in which it is kept."""
        return json.dumps(self.model_dump(mode="json", exclude_defaults=True) | {"acts": self._acts()}, indent=1)

    def _acts(self) -> list[dict[str, object]]:
        return [{"do": act.do, **act.model_dump(mode="json", exclude_defaults=True)} for act in self.acts]
