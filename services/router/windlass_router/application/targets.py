"""From the rows of all projects to where requests go; what was made of a project is made anew once its rows changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from windlass_contracts.ids import DeploymentId
from windlass_eventlog.projection import Rows, Versioned
from windlass_router.application.projections import DEPLOYMENTS, PLACES, ROUTES
from windlass_router.domain.addresses import own_address
from windlass_router.domain.configuration import Share, Target
from windlass_router.domain.deployment import Deployment
from windlass_router.domain.place import Place
from windlass_router.domain.pointers import DOMAIN, OF_THE_ENVIRONMENT, Pointer
from windlass_router.domain.routes import Routes

Deployments = Mapping[int, Versioned[Deployment]]
"""Rows by the number of their key, for a UUID is hashed by Python code."""


@dataclass(slots=True)
class Targets:
    """Those of all projects, in an installation with this domain."""

    rows: Rows
    domain: str
    _made: dict[int, "_OfProject"] = field(default_factory=dict)

    async def read(self) -> list[Target]:
        """Return them as the rows are now.

        Raises:
            EventLogError: the rows cannot be read now.
        """
        # Routes first: what they point at by then was seen healthy before, so that the later rows have it.
        projects = [self._of(found) for found in await self.rows.kept(ROUTES, {})]
        deployments = {found.key.int: found for found in await self.rows.kept(DEPLOYMENTS, {"routable": True})}
        silent = [one for project in projects for one in project.named if one.int not in deployments]
        deployments |= {key.int: row for key, row in (await self.rows.get_all(DEPLOYMENTS, silent)).items()}
        places = await self.rows.get_all(PLACES, [one.routes.key for one in projects if one.routes.row.weights.now])
        self._made = {project.routes.key.int: project for project in projects}  # those that are gone are forgotten
        return [target for one in projects for target in one.targets(deployments, places.get(one.routes.key))]

    def _of(self, routes: Versioned[Routes]) -> "_OfProject":
        made = self._made.get(routes.key.int)
        return made if made is not None and made.routes is routes else _OfProject(routes, self.domain)


class _OfProject:
    """What is made of one row of routes, and the other rows that it was made of."""

    def __init__(self, routes: Versioned[Routes], domain: str) -> None:
        self.routes = routes
        self._domain = domain
        self._made_of: Sequence[object] | None = None
        self._targets: Sequence[Target] = ()

    @cached_property
    def named(self) -> frozenset[DeploymentId]:
        """The deployments at which addresses point, or that get a percentage."""
        row = self.routes.row
        return row.weights.deployments | {pointer.current.deployment for pointer in row.pointers.values()}

    @cached_property
    def _looked_at(self) -> tuple[DeploymentId, ...]:
        before = {one.previous.deployment for one in self.routes.row.pointers.values() if one.previous is not None}
        return tuple(self.named | before)

    def targets(self, deployments: Deployments, place: Versioned[Place] | None) -> Sequence[Target]:
        made_of = [place, *(deployments.get(one.int) for one in self._looked_at)]
        if self._made_of is None or any(one is not other for one, other in zip(made_of, self._made_of, strict=True)):
            known = {one: deployments[one.int].row for one in self._looked_at if one.int in deployments}
            self._targets = self._make(known, {} if place is None else self._weighted(place.row))
            self._made_of = made_of
        return self._targets

    def _weighted(self, place: Place) -> dict[DeploymentId, dict[str, int]]:
        """Return the own addresses of what has a weight: it may have slept, and nothing else says that it answers."""
        return {
            weight.deployment: {f"{own_address(place, weight.deployment).name}.{self._domain}": weight.sequence}
            for weight in self.routes.row.weights.now.values()
        }

    def _make(
        self, known: Mapping[DeploymentId, Deployment], hosts: dict[DeploymentId, dict[str, int]]
    ) -> Sequence[Target]:
        pointers = self.routes.row.pointers.values()
        standing_back = frozenset(deployment for deployment, row in known.items() if row.stands_back)
        shared: dict[DeploymentId, dict[tuple[DeploymentId, int], set[str]]] = {}
        for pointer in pointers:
            answering, host = pointer.answering(standing_back), self._host(pointer)
            hosts.setdefault(answering, {})[host] = pointer.since
            if (share := _share(pointer, self.routes.row)) is not None:
                shared.setdefault(answering, {}).setdefault(share, set()).add(host)
        brought = frozenset(one.alias.name for one in pointers if one.alias.kind == DOMAIN)
        return [
            Target(
                deployment,
                names,
                known[deployment].servers if deployment in known else (),
                lost=deployment in standing_back,
                brought=brought.intersection(names),
                shares=tuple(
                    Share(frozenset(some), other, percent)
                    for (other, percent), some in shared.get(deployment, {}).items()
                ),
            )
            for deployment, names in hosts.items()
        ]

    def _host(self, pointer: Pointer) -> str:
        name = pointer.alias.name
        return name if pointer.alias.kind == DOMAIN else f"{name}.{self._domain}"


def _share(pointer: Pointer, routes: Routes) -> tuple[DeploymentId, int] | None:
    """Return which deployment gets which percentage of what is asked at an address, None where none does."""
    environment = pointer.alias.environment
    if environment is None or pointer.alias.kind not in OF_THE_ENVIRONMENT:
        return None
    weight = routes.weights.now.get(environment)
    return None if weight is None else (weight.deployment, weight.percent)
