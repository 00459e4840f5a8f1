"""What must hold where versions share an environment's requests."""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import UUID

from support.simulation.ledger import Holder, Ledger, Told
from support.simulation.parts import COMPENSATION, Part, own_moves
from windlass_builder.application.projections import ROUTES as OF_THE_BUILDER
from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import AliasesChanged, WeightChanged
from windlass_contracts.lifecycle import Phase
from windlass_contracts.subjects import Service
from windlass_gateway.application.projections import ROUTES as OF_THE_GATEWAY
from windlass_monitor.application.projections import ROUTES as OF_THE_MONITOR
from windlass_router.application.projections import ROUTES as OF_THE_ROUTER

if TYPE_CHECKING:
    from support.simulation.world import World

_BY_SOMEBODY = frozenset({"stopped", "restore", "lost", "overtaken"})


def faults_of(ledger: Ledger, recorded: Recorded[Event]) -> Iterator[str]:
    """Yield what is wrong with an event that the ledger has not folded yet."""
    match recorded.event:
        case WeightChanged() as change:
            seen = f"#{recorded.sequence}: {change.deployment.hex[:8]} gets {change.weight} % ({change.why})"
            for fault in (*_of_end(ledger, change), *_of_part(ledger, change)):
                yield f"{seen}: {fault}"
        case AliasesChanged(why=why) as change if why != COMPENSATION:
            for environment, _, after in own_moves(change):
                part = ledger.parts.now.get(environment)
                if part is not None and part.deployment != after and why != "restore":
                    yield f"#{recorded.sequence}: {part.deployment.hex[:8]} keeps {part.percent} % of what is taken"
                if part is not None and why == "rollout" and change.request is None:
                    yield from _of_stop(ledger, environment, part)
        case _:
            pass


def _of_end(ledger: Ledger, change: WeightChanged) -> Iterator[str]:
    """Yield what is wrong with a part that ends, or is taken back."""
    known, before = ledger.parts.now.get(change.environment), ledger.parts.before.get(change.environment)
    if change.why == COMPENSATION:
        wanted = before.percent if before is not None and before.deployment == change.deployment else 0
        if change.weight != wanted:
            yield f"before, it was {wanted}"
    elif change.weight == 0:
        if known is None or known.deployment != change.deployment:
            yield "it had none"
        if change.why not in _BY_SOMEBODY:
            yield "nobody wanted that"


def _of_part(ledger: Ledger, change: WeightChanged) -> Iterator[str]:
    """Yield what is wrong with a part that is given."""
    if not change.weight:
        return
    known, told = ledger.parts.now.get(change.environment), ledger.deployments[change.deployment]
    own = ledger.own_address(change.environment)
    if known is not None and known.deployment != change.deployment:
        yield f"{known.deployment.hex[:8]} has a part too"
    if told.phase is not Phase.LIVE or own is None or told.project != own.project:
        yield f"it is {told.phase}"
    if own is None or own.current is None or own.current.deployment == change.deployment:
        yield "nothing else has the environment"
        return
    match change.why:
        case "rollout":
            yield from _of_step(ledger, change, told, known, own.current)
        case "asked":
            yield from _of_wish(ledger, change, own.current)
        case why if why != COMPENSATION:
            yield "nobody wanted that"
        case _:
            pass


def _of_step(ledger: Ledger, change: WeightChanged, told: Told, known: Part | None, holder: Holder) -> Iterator[str]:
    if told.environment != change.environment:
        yield "it goes by its steps in another environment than its own"
    if known is not None and known.asked:
        yield "somebody set its weight by hand"
    if known is not None:
        yield from _of_stop(ledger, change.environment, known)
    had = 0 if known is None else known.percent
    if change.weight != next((step for step in told.steps if step > had), None):
        yield f"its steps are {told.steps}, and it had {had} %"
    if ledger.is_held_back(told):
        yield "a rollback holds it back"
    if holder.asked > told.sequence:
        yield f"{holder.deployment.hex[:8]} was asked for later"


def _of_stop(ledger: Ledger, environment: UUID, part: Part) -> Iterator[str]:
    if ledger.parts.stopped.get(environment, 0) > (part.asked or part.began):
        yield f"somebody stopped the rollout of {part.deployment.hex[:8]}"


def _of_wish(ledger: Ledger, change: WeightChanged, holder: Holder) -> Iterator[str]:
    if change.request is None or change.request not in ledger.parts.asked:
        yield "nobody asked for it"
        return
    sequence, wish = ledger.parts.asked[change.request]
    if (wish.environment, wish.to, wish.weight) != (change.environment, change.deployment, change.weight):
        yield f"{wish.weight} % for {wish.to.hex[:8]} were asked for"
    if holder.asked > sequence:
        yield f"{holder.deployment.hex[:8]} was asked for later"
    if ledger.parts.stopped.get(change.environment, 0) > sequence:
        yield "somebody stopped it before"


def faults_at_rest(world: "World", ledger: Ledger) -> Iterator[str]:
    """Yield what is wrong with the weights that are left once nothing happens any more."""
    for environment, part in ledger.parts.now.items():
        told = ledger.deployments[part.deployment]
        seen = f"{part.deployment.hex[:8]} still gets {part.percent} %"
        if not part.asked and _is_ready(world, part.deployment, told):
            yield f"{seen}, though its steps are over"
        yield from _of_stop(ledger, environment, part)
    for environment, changed in ledger.parts.changed.items():
        own = ledger.own_address(environment)
        if own is not None and ledger.applied.get(own.project, 0) < changed:
            yield f"#{changed} is neither confirmed nor taken back"
    yield from _of_rows(world, ledger)


def _is_ready(world: "World", deployment: UUID, told: Told) -> bool:
    """Tell whether as many containers of a deployment are well as should be."""
    node = world.node
    well = [one for one in node.living.values() if one.deployment == deployment and node.is_well(one.name)]
    return len(well) >= told.replicas


def _of_rows(world: "World", ledger: Ledger) -> Iterator[str]:
    wanted = {one: (part.deployment, part.percent) for one, part in ledger.parts.now.items()}
    for service, projection in (
        (Service.ROUTER, OF_THE_ROUTER),
        (Service.BUILDER, OF_THE_BUILDER),
        (Service.GATEWAY, OF_THE_GATEWAY),
    ):
        rows = [found.row for found in world.rows[service]._rows.get(projection.name, {}).values()]
        known = {one: (weight.deployment, weight.percent) for row in rows for one, weight in row.weights.now.items()}
        if known != wanted:
            yield f"the {service} knows {known}, the log {wanted}"
    rows_of_monitor = [found.row for found in world.rows[Service.MONITOR]._of(OF_THE_MONITOR).values()]
    watched = {one: part.version for row in rows_of_monitor for one, part in row.parts.items()}
    if watched != {one: deployment for one, (deployment, _) in wanted.items()}:
        yield f"the monitor watches {watched}, the log says {wanted}"
