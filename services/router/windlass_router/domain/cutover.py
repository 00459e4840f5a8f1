"""Whether a healthy deployment takes its addresses: the latest request wins, whatever finishes first."""

from collections.abc import Iterable, Iterator

from windlass_contracts.event import Event
from windlass_contracts.events import AliasesChanged, CutoverStarted, DeploymentLive, DeploymentSuperseded, Failed
from windlass_contracts.events.deployment import Stage
from windlass_contracts.events.routes import Alias
from windlass_contracts.ids import DeploymentId
from windlass_contracts.lifecycle import Phase
from windlass_router.domain.addresses import branch_addresses, own_address, shared_addresses
from windlass_router.domain.deployment import Deployment
from windlass_router.domain.pointers import OF_THE_ENVIRONMENT
from windlass_router.domain.recovery import OUTRUN, given_up, waited_for
from windlass_router.domain.rollouts import asked_at, overtaken, takes_steps
from windlass_router.domain.routes import CUTOVER
from windlass_router.domain.situation import Situation
from windlass_router.domain.steps import AppendToDeployment, AppendToRoutes, Step, WaitUntil

LONGEST_REASON = 1_000


def finish_cutovers(situation: Situation) -> Iterator[Step]:
    """Go on with what began: nothing else begins in the project before that has its end."""
    for identity, row in situation.in_phase(Phase.CUTOVER):
        yield _finished(identity, row, situation)


def begin_cutovers(situation: Situation) -> Iterator[Step]:
    """Begin with the latest request; earlier ones may then find that they come too late."""
    for identity, row in situation.in_phase(Phase.HEALTHY):
        yield (
            AppendToDeployment(identity, end) if (end := _outrun(row, situation)) else _begun(identity, row, situation)
        )


def _begun(identity: DeploymentId, row: Deployment, situation: Situation) -> Step:
    if row.ready:
        return AppendToDeployment(identity, CutoverStarted(containers=row.healthy_containers))
    until = row.recovers_until
    healthy, wanted = len(row.healthy_containers), row.replicas
    if situation.now < until:
        return WaitUntil(until, f"{healthy} of {wanted} containers are healthy")
    reason = (
        f"Only {healthy} of {wanted} containers were healthy within {row.ready_within.total_seconds():g} s; "
        f"the log of the others says why."
    )
    return AppendToDeployment(identity, Failed(stage=Stage.HEALTH, code="too-few-healthy", reason=reason))


def _outrun(row: Deployment, situation: Situation) -> Event | None:
    """Return the end of a deployment that comes too late.

    In production one version serves everybody, so that it has to get the environment; elsewhere, and for what a
    rollback holds back, its branch will do. What is held back and has no branch has nothing to take.
    """
    later = _later_holders(row, situation)
    aliases = _wanted(row, situation)
    if not aliases:
        holder, *_ = situation.routes.of_environment(row.environment)
        return DeploymentSuperseded(by=holder.current.deployment)
    lost = aliases[0].name in later if situation.place.is_production(row.environment) else len(later) == len(aliases)
    return DeploymentSuperseded(by=next(iter(later.values()))) if lost else None


def _finished(identity: DeploymentId, row: Deployment, situation: Situation) -> Step:
    routes = situation.routes
    if routes.held_by(identity):
        took = round((situation.now - row.requested_at).total_seconds() * 1_000)
        live = DeploymentLive(generation=routes.applied, duration_ms=max(0, took))
        return AppendToDeployment(identity, live)
    failure = _failure(identity, row, situation)
    if failure is not None:
        return AppendToDeployment(identity, failure)
    if row.recovering:
        return waited_for(row)
    obtainable = list(_obtainable(row, situation))
    if any(alias.kind in OF_THE_ENVIRONMENT for alias in obtainable):
        if (step := overtaken(row.environment, identity, situation)) is not None:
            return step
        if takes_steps(identity, row, situation):
            obtainable = [alias for alias in obtainable if alias.kind not in OF_THE_ENVIRONMENT]
    moves = routes.moves_to(identity, (*obtainable, own_address(situation.place, identity)))
    return AppendToRoutes(AliasesChanged(why=CUTOVER, deployment=identity, moves=moves))


def _failure(identity: DeploymentId, row: Deployment, situation: Situation) -> Failed | None:
    """Return why a cutover that holds no address cannot get one any more."""
    if (failure := given_up(identity, row, situation)) is not None:
        return failure
    if identity in situation.routes.taken_back:
        return _failed("routes-not-confirmed", situation.first_refusal)
    if not any(True for _ in _obtainable(row, situation)):
        return _failed(OUTRUN, "A later request took all its addresses during the cutover.")
    return None


def _failed(code: str, reason: str) -> Failed:
    return Failed(stage=Stage.ROUTE, code=code, reason=reason[:LONGEST_REASON])


def _wanted(row: Deployment, situation: Situation) -> tuple[Alias, ...]:
    """Return the addresses that it may take, as far as nobody later has them: its branch's alone if it is held back."""
    holds = situation.routes.holds
    if holds.holds_back(row.environment, row.trigger, row.requested_sequence):
        return branch_addresses(situation.place, row)
    return shared_addresses(situation.place, row)


def _obtainable(row: Deployment, situation: Situation) -> Iterable[Alias]:
    later = _later_holders(row, situation)
    aliases = _wanted(row, situation)
    return (alias for alias in aliases if alias.name not in later)


def _later_holders(row: Deployment, situation: Situation) -> dict[str, DeploymentId]:
    """Return the addresses that a later request holds, or takes step by step, and by which deployment."""
    later = ((alias.name, _later_holder(alias, row, situation)) for alias in _wanted(row, situation))
    return {name: holder for name, holder in later if holder is not None}


def _later_holder(alias: Alias, row: Deployment, situation: Situation) -> DeploymentId | None:
    asked, routes = row.requested_sequence, situation.routes
    if alias.kind in OF_THE_ENVIRONMENT and asked_at(row.environment, situation) > asked:
        return routes.weights.now[row.environment].deployment
    pointer = routes.pointers.get(alias.name)
    return pointer.current.deployment if pointer is not None and situation.asked(pointer) > asked else None
