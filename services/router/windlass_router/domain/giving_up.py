"""Addresses that go, or go elsewhere, without a deployment: of domains, and of branches that are gone."""

from collections.abc import Iterator, Mapping

from windlass_contracts.deletions import Deletion
from windlass_contracts.events import AliasesChanged
from windlass_contracts.events.routes import AliasMove
from windlass_contracts.ids import DeploymentId, EnvironmentId
from windlass_router.domain.aliases import branch_alias, domain_alias, environment_id_alias
from windlass_router.domain.place import Place
from windlass_router.domain.pointers import DOMAIN, Pointer
from windlass_router.domain.routes import BRANCH_DELETED, Routes
from windlass_router.domain.situation import Situation
from windlass_router.domain.steps import AppendToRoutes, Step


def settle_domains(situation: Situation) -> Iterator[Step]:
    """Let each domain answer with its environment; one whose environment answers with nothing yet stays as it is."""
    moves = (*_removed(situation), *_assigned(situation))
    if moves:
        yield AppendToRoutes(AliasesChanged(why=DOMAIN, moves=moves))


def give_up_branches(situation: Situation) -> Iterator[Step]:
    """Give up the addresses of branches that are gone, and were not pushed again, once their time has come."""
    addresses = deleted_addresses(situation.place, situation.routes)
    due = (
        pointer for branch, pointer in addresses.items() if _is_due(branch, situation.routes.deleted[branch], situation)
    )
    if moves := tuple(_given_up(pointer) for pointer in due):
        yield AppendToRoutes(AliasesChanged(why=BRANCH_DELETED, moves=moves))


def deleted_addresses(place: Place, routes: Routes) -> Mapping[str, Pointer]:
    """Return the addresses of branches that are gone, by branch."""
    return {
        branch: pointer
        for branch in routes.deleted
        if (pointer := routes.pointers.get(_branch_address(place, branch))) is not None
    }


def _branch_address(place: Place, branch: str) -> str:
    nowhere = EnvironmentId(place.project)  # a branch has the same address whatever environment it is deployed to
    return branch_alias(place.slug or "", branch, nowhere).name


def _is_due(branch: str, deletion: Deletion, situation: Situation) -> bool:
    again = any(
        row.branch == branch and row.requested_sequence > deletion.sequence for row in situation.deployments.values()
    )
    return situation.now >= deletion.until and not again


def _removed(situation: Situation) -> Iterator[AliasMove]:
    for name, pointer in situation.routes.pointers.items():
        if pointer.alias.kind == DOMAIN and name not in situation.place.domains:
            yield _given_up(pointer)


def _assigned(situation: Situation) -> Iterator[AliasMove]:
    for host, environment in situation.place.domains.items():
        target = _answering(situation, environment)
        if target is None:
            continue
        pointer, alias = situation.routes.pointers.get(host), domain_alias(host, environment)
        before = None if pointer is None else pointer.current.deployment
        if pointer is None or (before, pointer.alias) != (target, alias):
            yield AliasMove(alias=alias, before=before, after=target)


def _answering(situation: Situation, environment: EnvironmentId) -> DeploymentId | None:
    own = environment_id_alias(situation.place.slug or "", environment)
    pointer = situation.routes.pointers.get(own.name)
    return None if pointer is None else pointer.current.deployment


def _given_up(pointer: Pointer) -> AliasMove:
    return AliasMove(alias=pointer.alias, before=pointer.current.deployment)
