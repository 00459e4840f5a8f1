"""The use cases of domains that somebody brings: which hosts answer with which environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from windlass_contracts.event import Event
from windlass_contracts.ids import EventId, ProjectId
from windlass_contracts.subjects import DOMAIN_REGISTRY, Aggregate, AggregateKey
from windlass_eventlog.projection import Versioned
from windlass_gateway.application.access import Caller, Permission
from windlass_gateway.application.decisions import Signature, append_all, decided
from windlass_gateway.application.finding import Finder
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.application.projections import DOMAINS
from windlass_gateway.domain.domains import (
    DOMAIN_REGISTRY_KEY,
    Assignment,
    Domain,
    DomainRegistry,
    ascii_host,
    checked_domain,
    decide_assignment,
    decide_removal,
)
from windlass_gateway.domain.project import Project
from windlass_gateway.domain.writes import Write


@dataclass(frozen=True, slots=True)
class DomainIsAssigned:
    """The host as DNS knows it. Rows show it from `sequence` on."""

    host: str
    sequence: int


@dataclass(frozen=True, slots=True)
class ManagingDomains:
    """Assigns and removes hosts; the router lets them answer. `installation` is the domain of all other addresses."""

    gateway: Gateway
    installation: str

    async def of_project(self, project: UUID) -> Mapping[str, Domain]:
        """Return a project's domains by host, in order."""
        return (await self._registry()).row.of_project(project)

    async def assign(self, caller: Caller, slug: str, written: str, environment: str) -> DomainIsAssigned:
        """Let a host answer with an environment of a project, now or from its first deployment on.

        Raises:
            Refusal: there is no such project or environment, the host is none, or it is taken.
            EventLogError: the log did not take it.
        """
        caller.demand(Permission.CONFIGURE)
        identity = EventId(self.gateway.fresh_id())

        async def attempt() -> DomainIsAssigned:
            finder = Finder(self.gateway.rows, caller.team)
            project = await finder.project(slug)
            host = checked_domain(written, self.installation)
            target = await finder.environment(project, environment)
            registry = await self._registry()
            event = decide_assignment(registry.row, Assignment(ProjectId(project.key), target.id, host))
            return DomainIsAssigned(host, await self._append(caller, project, event, registry.sequence, identity))

        return await decided(self.gateway, attempt)

    async def remove(self, caller: Caller, slug: str, written: str) -> int:
        """Give a host back: it answers no more, and whoever asks next may have it.

        Raises:
            Refusal: there is no such project, or it does not have the host.
            EventLogError: the log did not take it.
        """
        caller.demand(Permission.CONFIGURE)
        identity = EventId(self.gateway.fresh_id())

        async def attempt() -> int:
            project = await Finder(self.gateway.rows, caller.team).project(slug)
            registry = await self._registry()
            event = decide_removal(registry.row, ProjectId(project.key), project.row.slug, ascii_host(written))
            return await self._append(caller, project, event, registry.sequence, identity)

        return await decided(self.gateway, attempt)

    async def _registry(self) -> Versioned[DomainRegistry]:
        found = await self.gateway.rows.get(DOMAINS, DOMAIN_REGISTRY_KEY)
        return Versioned(DOMAIN_REGISTRY_KEY, DomainRegistry(), 0) if found is None else found

    async def _append(
        self, caller: Caller, project: Versioned[Project], event: Event | None, after: int, identity: EventId
    ) -> int:
        if event is None:
            return after
        key = AggregateKey.of_project(caller.team, ProjectId(project.key), Aggregate.DOMAINS)
        write = Write(key, event, after, DOMAIN_REGISTRY)
        return await append_all(self.gateway, [write], Signature(caller.actor, identity))
