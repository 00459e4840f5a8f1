"""`POST /api/github/webhook`: verified before it is read, answered once what it asks for is durable.

Source: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response

from windlass_gateway.application.access import webhook_caller
from windlass_gateway.application.pushing import Pushing
from windlass_gateway.domain.pushes import shown
from windlass_gateway.domain.refusals import InvalidInputError, UnsignedWebhookError
from windlass_gateway.entrypoints.audited import asks
from windlass_gateway.entrypoints.context import AContext
from windlass_gateway.entrypoints.webhooks.answers import ANSWERS, DeliveryView, answer
from windlass_gateway.entrypoints.webhooks.github_push import GitHubDelete, GitHubPush
from windlass_gateway.entrypoints.webhooks.signed_body import aside, payload_of, read_json

PATH = "/api/github/webhook"
MAX_BYTES = 25 * 1024 * 1024
"""GitHub's own cap: https://docs.github.com/en/webhooks/webhook-events-and-payloads"""

_SIGNATURE, _EVENT, _DELIVERY = "X-Hub-Signature-256", "X-GitHub-Event", "X-GitHub-Delivery"
_SHOWN = 40
_KINDS: Mapping[str, type[GitHubPush | GitHubDelete]] = {"push": GitHubPush, "delete": GitHubDelete}

router = APIRouter(tags=["webhooks"])


@router.post(PATH, responses=ANSWERS)
async def github_webhook(
    request: Request,
    response: Response,
    shared: AContext,
    signature: Annotated[str | None, Header(alias=_SIGNATURE)] = None,
    event: Annotated[str, Header(alias=_EVENT)] = "",
    delivery: Annotated[str, Header(alias=_DELIVERY)] = "",
) -> DeliveryView:
    """Take a delivery of GitHub: a push of a branch is deployed, and the address of a deleted one goes after a while.

    Everything else is answered and explained.
    """
    body = await request.body()
    if not await aside(body, lambda: shared.webhook_keys.signed_by_github(body, signature)):
        raise UnsignedWebhookError(_SIGNATURE)
    sender = webhook_caller(shared.team, "github")
    asks(request, sender.actor)
    kind = _KINDS.get(event)
    if kind is None:
        return DeliveryView(sentence=_other_event(event))
    identity = _identity(delivery)
    payload = payload_of(body, request.headers.get("content-type", ""))
    pushed = await aside(payload, lambda: read_json(kind, payload))
    pushing = Pushing(shared.gateway, shared.webhook_keys)
    return answer(response, await pushing.push(sender, pushed.push(str(identity))))


def _other_event(event: str) -> str:
    if event == "ping":
        return "The webhook is set up: pushes will be deployed."
    return f"The event {shown(event, _SHOWN) or 'without a name'} is not deployed: only pushes are."


def _identity(delivery: str) -> UUID:
    try:
        return UUID(delivery)
    except ValueError:
        raise InvalidInputError(
            "The delivery has no id, which is a UUID.", field=_DELIVERY, next_step="Let GitHub deliver it again."
        ) from None
