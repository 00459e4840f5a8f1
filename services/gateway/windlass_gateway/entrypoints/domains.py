"""`/api/v1/projects/{slug}/domains`: list, assign, remove."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field
from starlette.convertors import Convertor, register_url_convertor

from windlass_eventlog.projection import Versioned
from windlass_gateway.application.domains import ManagingDomains
from windlass_gateway.application.finding import Finder
from windlass_gateway.application.projections import ROUTES
from windlass_gateway.domain.domains import LONGEST_WRITTEN
from windlass_gateway.domain.project import Project
from windlass_gateway.entrypoints.accepted import Done
from windlass_gateway.entrypoints.bodies import DomainBody
from windlass_gateway.entrypoints.context import ACaller, AContext, AReader, Context
from windlass_gateway.entrypoints.projects import ProjectSlug


class _AsWritten(Convertor[str]):
    """A host as somebody wrote it: also with slashes and line breaks, which its own field refuses with the reason."""

    regex = r"(?s:.*)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("as_written", _AsWritten())

router = APIRouter(prefix="/projects/{slug}/domains", tags=["domains"])

AHost = Annotated[str, Path(max_length=LONGEST_WRITTEN, description="like www.example.com; in any script and case")]


class DomainView(BaseModel):
    """A domain, and whether the router lets it answer."""

    host: Annotated[str, Field(description="as DNS knows it")]
    environment: str
    url: str
    answers: Annotated[bool, Field(description="whether it leads to a version that is live there")]
    point_to: Annotated[str, Field(description="what its CNAME record is to name")]
    assigned_at: datetime


class DomainDone(Done):
    """The host is the project's."""

    host: str
    environment: str
    next: Annotated[str, Field(description="what is left to do")]


@router.get("")
async def list_domains(slug: ProjectSlug, finder: AReader, shared: AContext) -> list[DomainView]:
    """List a project's domains, by host."""
    return await domains_of(shared, finder, await finder.project(slug))


@router.put("/{host:as_written}")
async def assign_domain(
    slug: ProjectSlug, host: AHost, body: DomainBody, asking: ACaller, shared: AContext
) -> DomainDone:
    """Let a host answer with an environment; one that the project has already moves there."""
    done = await managing(shared).assign(asking, slug, host, body.environment)
    return DomainDone(
        sequence=done.sequence,
        host=done.host,
        environment=body.environment,
        next=next_step(done.host, point_to(shared, slug)),
    )


@router.delete("/{host:as_written}")
async def remove_domain(slug: ProjectSlug, host: AHost, asking: ACaller, shared: AContext) -> Done:
    """Give a host back: it answers no more."""
    return Done(sequence=await managing(shared).remove(asking, slug, host))


def managing(shared: Context) -> ManagingDomains:
    return ManagingDomains(shared.gateway, shared.places.domain)


async def domains_of(shared: Context, finder: Finder, project: Versioned[Project]) -> list[DomainView]:
    """Return a project's domains, ready to be shown."""
    environments = await finder.environments(project.key)
    routes = await finder.rows.get(ROUTES, project.key)
    routed = set() if routes is None else {one.name for one in routes.row.aliases if one.current is not None}
    views = []
    for host, domain in (await managing(shared).of_project(project.key)).items():
        environment = environments.by_id(domain.environment)
        views.append(
            DomainView(
                host=host,
                environment=str(domain.environment) if environment is None else environment.name,
                url=shared.places.url(host),
                answers=host in routed,
                point_to=point_to(shared, project.row.slug),
                assigned_at=domain.assigned_at,
            )
        )
    return views


def point_to(shared: Context, slug: str) -> str:
    """Return the name of ours that a domain's CNAME record is to name."""
    return f"{slug}.{shared.places.domain}"


def next_step(host: str, name: str) -> str:
    """Say what is left to do once a host is assigned."""
    return (
        f"In the DNS of {host}, make a CNAME record that names {name}, or A and AAAA records with this machine's "
        f"addresses. It answers by http; certificates come later."
    )
