"""`POST /api/webhooks/{project}`: for every other sender, signed as Standard Webhooks says.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator
from standardwebhooks import Webhook, WebhookVerificationError

from windlass_contracts.ids import ProjectId
from windlass_contracts.source_values import GitRef
from windlass_contracts.values import CommitSha, EnvironmentName
from windlass_eventlog.projection import Versioned
from windlass_gateway.application.access import webhook_caller
from windlass_gateway.application.finding import Finder
from windlass_gateway.application.pushing import Pushing, Signal
from windlass_gateway.domain.project import Project
from windlass_gateway.domain.pushes import BRANCH
from windlass_gateway.domain.refusals import InvalidInputError, ProjectNotFoundError, UnsignedWebhookError
from windlass_gateway.entrypoints.audited import asks
from windlass_gateway.entrypoints.context import AContext, Context
from windlass_gateway.entrypoints.webhooks.answers import ANSWERS, DeliveryView, answer
from windlass_gateway.entrypoints.webhooks.signed_body import read_json

PREFIX = "/api/webhooks"
_ID, _SIGNATURE = "webhook-id", "webhook-signature"
_LONGEST_ID = 200
_NOBODY = ProjectId(UUID(int=0))

router = APIRouter(prefix=PREFIX, tags=["webhooks"])


class SignalBody(BaseModel):
    """What is to be deployed. Without an environment, the one that takes the branch is meant."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ref: Annotated[GitRef | None, Field(description="a branch or a tag")] = None
    branch: Annotated[GitRef | None, Field(description="another name for `ref`")] = None
    commit: CommitSha | None = None
    environment: EnvironmentName | None = None

    @model_validator(mode="after")
    def _one_name(self) -> Self:
        if self.ref is not None and self.branch is not None and self.ref != self.branch:
            msg = "`ref` and `branch` name two different things"
            raise ValueError(msg)
        return self

    def signal(self, key: str) -> Signal:
        named = self.ref or self.branch
        ref = None if named is None else named.removeprefix(BRANCH)
        return Signal(key, ref, self.commit, self.environment)


@router.post("/{project}", responses=ANSWERS)
async def signed_webhook(
    project: Annotated[str, Path(max_length=100)], request: Request, response: Response, shared: AContext
) -> DeliveryView:
    """Deploy what a signed message names: `{"branch": "main"}`, or a commit, or a tag and an environment."""
    body = await request.body()
    found = await _verified(shared, project, request, body)
    sender = webhook_caller(shared.team, str(found.key))
    asks(request, sender.actor)
    identity = request.headers[_ID]
    if len(identity) > _LONGEST_ID:
        raise InvalidInputError(
            f"The id of a message has {_LONGEST_ID} characters at most.", field=_ID, next_step="Send a shorter one."
        )
    signal = read_json(SignalBody, body).signal(f"webhook:{identity}")
    pushing = Pushing(shared.gateway, shared.webhook_keys)
    return answer(response, [await pushing.signal(sender, signal, found)])


async def _verified(shared: Context, slug: str, request: Request, body: bytes) -> Versioned[Project]:
    """Return the project whose secret the body is signed with.

    Raises:
        UnsignedWebhookError: it is not, or there is no such project: strangers are not told which.
    """
    await shared.gateway.rows.reached(shared.gateway.own.settings)
    try:
        found = await Finder(shared.gateway.rows, shared.team).project(slug)
    except ProjectNotFoundError:
        found = None
    secret = shared.webhook_keys.project_secret(_NOBODY if found is None else ProjectId(found.key))
    if not _is_signed(secret, request, body) or found is None:
        raise UnsignedWebhookError(_SIGNATURE)
    return found


def _is_signed(secret: str, request: Request, body: bytes) -> bool:
    """Whether it is signed, 5 minutes ago at most. The library lets some malformed headers end as a ValueError."""
    try:
        Webhook(secret).verify(body, dict(request.headers), json_parse=False)
    except (WebhookVerificationError, ValueError):
        return False
    return True
