"""`/api/v1/projects/{slug}/webhooks`: where senders send to, what they sign with, and how they are set up."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from windlass_contracts.ids import ProjectId
from windlass_gateway.application.access import Permission
from windlass_gateway.domain.webhook_keys import WebhookKeys
from windlass_gateway.entrypoints.context import ACaller, AContext, AReader
from windlass_gateway.entrypoints.places import Places
from windlass_gateway.entrypoints.projects import ProjectSlug
from windlass_gateway.entrypoints.webhooks import github, standard

router = APIRouter(prefix="/projects", tags=["webhooks"])

_REACHABLE = (
    "The sender must be able to reach this address. Where the installation has another one on the internet (a proxy, a "
    "tunnel), use that one with the same path, and let it pass the requests on with `Host: {host}`."
)


class WebhookView(BaseModel):
    """One way of telling Windlass about a push."""

    url: str
    secret: Annotated[str, Field(description="whoever knows it can deploy")]
    steps: list[str]


class WebhooksView(BaseModel):
    """Both ways, and what has to be so for either."""

    github: WebhookView
    signed: WebhookView
    note: str


def webhooks_of(places: Places, keys: WebhookKeys, slug: str, project: ProjectId) -> WebhooksView:
    """Return how webhooks of a project are set up."""
    base = places.url(places.own_host)
    return WebhooksView(
        github=WebhookView(url=f"{base}{github.PATH}", secret=keys.github_secret, steps=_GITHUB_STEPS),
        signed=WebhookView(
            url=f"{base}{standard.PREFIX}/{slug}", secret=keys.project_secret(project), steps=_SIGNED_STEPS
        ),
        note=_REACHABLE.format(host=places.own_host),
    )


_GITHUB_STEPS = [
    "At GitHub, open the repository's Settings, Webhooks, Add webhook.",
    "Paste the address and the secret; choose the content type application/json.",
    "Leave `Just the push event`. GitHub sends a ping at once: its answer says that the webhook is set up.",
]
_SIGNED_STEPS = [
    'Send `{"branch": "main"}` as JSON, or `commit`, `environment` with it, by POST to the address.',
    "Sign it with the secret as Standard Webhooks says (webhook-id, webhook-timestamp, webhook-signature).",
    "Send it again with the same webhook-id if it is not answered: it is deployed once.",
]


@router.get("/{slug}/webhooks")
async def get_webhooks(slug: ProjectSlug, finder: AReader, asking: ACaller, shared: AContext) -> WebhooksView:
    """Return the addresses and secrets of a project's webhooks; only to those who may configure."""
    asking.demand(Permission.CONFIGURE)
    found = await finder.project(slug)
    return webhooks_of(shared.places, shared.webhook_keys, found.row.slug, ProjectId(found.key))
