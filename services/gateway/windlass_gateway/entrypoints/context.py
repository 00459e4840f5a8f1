"""What a request's handler gets: the gateway, and the caller, who has proved who they are."""

import asyncio
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from windlass_contracts.ids import TeamId
from windlass_gateway.application.access import Access, Caller, Permission
from windlass_gateway.application.auditing import Auditing
from windlass_gateway.application.finding import Finder
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.application.operating import Operating, Quarantining
from windlass_gateway.application.signing_in import SigningIn
from windlass_gateway.domain.refusals import UnauthenticatedError
from windlass_gateway.domain.webhook_keys import WebhookKeys
from windlass_gateway.entrypoints.access.sessions import Sessions
from windlass_gateway.entrypoints.audited import asks
from windlass_gateway.entrypoints.live.hub import Hub
from windlass_gateway.entrypoints.places import Places

HOW_TO_GET_A_TOKEN = "`windlass up` makes one and writes it to the command's configuration and to .windlass/cli.json."  # noqa: S105 - a sentence

_bearer = HTTPBearer(auto_error=False, description="The token that `windlass up` made.")


@dataclass(frozen=True, slots=True)
class Context:
    """What all handlers share; `closing` is set when the gateway stops."""

    gateway: Gateway
    access: Access
    sessions: Sessions
    signing_in: SigningIn
    places: Places
    installation: str
    team: TeamId
    webhook_keys: WebhookKeys
    hub: Hub
    operating: Operating
    quarantining: Quarantining
    auditing: Auditing
    closing: asyncio.Event


async def context(request: Request) -> Context:  # one that is not async would cost each request a turn of a thread
    return cast("Context", request.app.state.context)


AContext = Annotated[Context, Depends(context)]


async def caller(
    request: Request, shared: AContext, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Caller:
    """Return who asks.

    Raises:
        UnauthenticatedError: there is no token, or it is nobody's.
    """
    if credentials is None:
        raise UnauthenticatedError(
            "The request carries no API token.",
            field="Authorization",
            next_step=f"Send `Authorization: Bearer TOKEN`. {HOW_TO_GET_A_TOKEN}",
        )
    found = await shared.access.caller(credentials.credentials)
    if found is None:
        raise UnauthenticatedError(
            "The API token is none of this installation's.", field="Authorization", next_step=HOW_TO_GET_A_TOKEN
        )
    asks(request, found.actor)
    return found


ACaller = Annotated[Caller, Depends(caller)]

AtLeast = Annotated[
    int,
    Query(ge=0, le=2**63 - 1, description="Wait, 2 s at most, until this sequence of the log is part of the answer."),
]


async def reader(shared: AContext, asking: ACaller, at_least: AtLeast = 0) -> Finder:
    """Return what looks things up for the caller, once the rows show what they did themselves.

    Raises:
        ForbiddenError: they may not read.
        NotReachedError: the rows lag behind.
    """
    asking.demand(Permission.READ)
    await shared.gateway.rows.reached(at_least)
    return Finder(shared.gateway.rows, asking.team)


AReader = Annotated[Finder, Depends(reader)]
