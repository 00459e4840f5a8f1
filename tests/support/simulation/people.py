"""What people do: each act of theirs is a use case of the gateway, as its API would call it."""

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from support.simulation.history import (
    App,
    Cancel,
    Deploy,
    Promote,
    Push,
    Redeploy,
    Release,
    Restart,
    RollBack,
    Scale,
    SetVariable,
    StopRollout,
    UnsetVariable,
    Weigh,
    Wish,
)
from windlass_contracts.events.deployment import GitSource
from windlass_contracts.ids import DeploymentId, TeamId
from windlass_eventlog.errors import EventLogError
from windlass_gateway.application.access import EVERYTHING, Caller
from windlass_gateway.application.canceling import Canceling
from windlass_gateway.application.deploying import Deploying, DeployRequest
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.application.promoting import PromoteCommand, Promoting
from windlass_gateway.application.pushing import Pushing
from windlass_gateway.application.redeploying import Redeploying
from windlass_gateway.application.releasing import Releasing
from windlass_gateway.application.rolling_back import RollbackCommand, RollingBack
from windlass_gateway.application.scaling import ScaleCommand, Scaling
from windlass_gateway.application.variables import SettingVariables, VariablePlace
from windlass_gateway.application.weighing import StopCommand, WeighCommand, Weighing
from windlass_gateway.domain.configuration import ConfigChange, DeadlinesChange, RetirementChange
from windlass_gateway.domain.pushes import Push as Pushed
from windlass_gateway.domain.refusals import Refusal
from windlass_gateway.domain.repository import place_key
from windlass_gateway.domain.webhook_keys import WebhookKeys

ENVIRONMENTS = ("production", "staging")
BRANCHES = ("main", "topic")
_DEADLINES = DeadlinesChange(queued_s=30, fetch_s=10, build_s=20, pre_deploy_s=10, start_s=10, health_s=10, route_s=5)
_RETIREMENT = RetirementChange(drain_s=1, grace_s=2, keep_warm_s=10)


class Answer(Enum):
    """How an act ended."""

    ACCEPTED = auto()
    REFUSED = auto()
    UNKNOWN = auto()
    """The log did not answer, or the gateway was gone: nobody knows whether it was done."""


@dataclass(slots=True)
class Asked:
    """One request of somebody: `actor` is theirs alone, `gave` what they were promised."""

    actor: str
    act: Wish
    answer: Answer = Answer.UNKNOWN
    gave: tuple[DeploymentId, ...] = ()
    why: str = ""


@dataclass(slots=True)
class People:
    """Everybody who wants something; `commits` are made up as they are needed."""

    team: TeamId
    heads: dict[str, str]
    asked: list[Asked] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    requested: list[DeploymentId] = field(default_factory=list)
    _last: dict[type[Any], Any] = field(default_factory=dict)
    _commits: int = 0

    def asks(self, act: Wish) -> Asked:
        asked = Asked(f"token:{len(self.asked)}", act)
        self.asked.append(asked)
        return asked

    async def ask(self, gateway: Gateway, asked: Asked) -> None:
        """Let somebody ask, and note how it ended."""
        caller = Caller(asked.actor, self.team, EVERYTHING)
        try:
            asked.gave = tuple(await self._do(gateway, caller, asked.act) or ())
            asked.answer = Answer.ACCEPTED
        except Refusal as refusal:
            asked.answer, asked.why = Answer.REFUSED, type(refusal).__name__
        except EventLogError as error:
            asked.why = str(error)
        self.requested += [one for one in asked.gave if one not in self.requested]

    async def _do(self, gateway: Gateway, caller: Caller, act: Wish) -> list[DeploymentId] | None:
        match act:
            case Deploy():
                return [(await Deploying(gateway).deploy(caller, self._deploy(act))).deployment]
            case Push():
                return await self._push(gateway, caller, act)
            case Cancel(which=which):
                await Canceling(gateway).cancel(caller, self._one(which))
            case SetVariable() | UnsetVariable():
                await self._variable(SettingVariables(gateway), caller, act)
            case Scale() | Restart():
                await self._replicas(Scaling(gateway), caller, act)
            case Redeploy(which=which):
                key = f"again-{caller.actor}"
                return [(await Redeploying(gateway).redeploy(caller, self._one(which), key)).deployment]
            case RollBack() | Promote() | Release() | Weigh() | StopRollout():
                await self._switch(gateway, caller, act)
        return None

    async def _switch(
        self, gateway: Gateway, caller: Caller, act: RollBack | Promote | Release | Weigh | StopRollout
    ) -> None:
        environment = ENVIRONMENTS[act.environment]
        match act:
            case RollBack(project=project, which=which):
                to = None if which is None else self._one(which)
                await RollingBack(gateway).roll_back(caller, RollbackCommand(_slug(project), environment, to))
            case Promote(which=which):
                await Promoting(gateway).promote(caller, PromoteCommand(self._one(which), environment))
            case Release(project=project):
                await Releasing(gateway).release(caller, _slug(project), environment)
            case Weigh(which=which, percent=percent):
                await Weighing(gateway).weigh(caller, WeighCommand(self._one(which), percent, environment))
            case StopRollout(project=project):
                await Weighing(gateway).stop(caller, StopCommand(_slug(project), environment))

    async def _variable(self, setting: SettingVariables, caller: Caller, act: SetVariable | UnsetVariable) -> None:
        place = VariablePlace(_slug(act.project), f"NAME_{act.name}")
        if isinstance(act, SetVariable):
            await setting.set(caller, place, self._secret())
        else:
            await setting.remove(caller, place)

    async def _replicas(self, scaling: Scaling, caller: Caller, act: Scale | Restart) -> None:
        slug, environment = _slug(act.project), ENVIRONMENTS[act.environment]
        if isinstance(act, Scale):
            await scaling.scale(caller, ScaleCommand(slug, act.replicas, environment))
        elif act.which is None:
            await scaling.restart(caller, slug, environment)
        else:
            await scaling.restart_deployment(caller, self._one(act.which))

    def _deploy(self, act: Deploy) -> DeployRequest:
        if act.again and Deploy in self._last:
            again: DeployRequest = self._last[Deploy]
            return again
        steps = {} if not act.rollout else {"rollout": None if act.rollout == "none" else act.rollout}
        config = ConfigChange.model_validate(
            {
                "start_command": "python server.py",
                "build_command": "make",
                "pre_deploy_command": None if act.before == "nothing" else act.before,
                "replicas": act.replicas,
                "deadlines": _DEADLINES,
                "retirement": _RETIREMENT,
                **steps,
            }
        )
        ref = None if act.branch is None else BRANCHES[act.branch]
        request = DeployRequest(
            key=f"deploy-{len(self.asked)}",
            trigger="api",
            source=GitSource(repository=_repository(act.project), ref=ref, commit=self._commit(act.app)),
            project=_slug(act.project),
            environment=ENVIRONMENTS[act.environment],
            config=config,
            variables={"PASSWORD": self._secret()} if act.secret else {},
        )
        self._last[Deploy] = request
        return request

    async def _push(self, gateway: Gateway, caller: Caller, act: Push) -> list[DeploymentId]:
        if not (act.again and Push in self._last):
            commit = self._commit(act.app)
            self._last[Push] = Pushed(
                key=f"push-{len(self.asked)}",
                places=frozenset({place_key(_repository(act.project))}),
                ref=f"refs/heads/{BRANCHES[act.branch]}",
                commit=commit,
                default_branch="main",
            )
        outcomes = await Pushing(gateway, WebhookKeys(b"simulated")).push(caller, self._last[Push])
        if not isinstance(outcomes, list):
            return []
        results = (outcome.result for outcome in outcomes)
        return [result.deployment for result in results if hasattr(result, "deployment")]

    def _commit(self, app: App) -> str:
        self._commits += 1
        commit = f"{list(App).index(app):02x}{self._commits:038x}"
        self.heads["main"] = commit
        return commit

    def _one(self, which: int) -> str:
        if not self.requested:
            return "f" * 32
        return self.requested[max(0, len(self.requested) - 1 - which)].hex

    def _secret(self) -> str:
        secret = f"planted-secret-{len(self.secrets)}"
        self.secrets.append(secret)
        return secret


def _slug(project: int) -> str:
    return f"shop{project}"


def _repository(project: int) -> str:
    return f"https://git.example/owner/shop{project}"
