"""`/api/v1/sign-in-links`: a one-time link to the dashboard."""

from datetime import datetime
from urllib.parse import urlencode

from fastapi import APIRouter, status
from pydantic import BaseModel

from windlass_gateway.domain.people import owner_id
from windlass_gateway.entrypoints.access.local_path import SIGN_IN
from windlass_gateway.entrypoints.context import ACaller, AContext

router = APIRouter(prefix="/sign-in-links", tags=["access"])


class SignInLinkView(BaseModel):
    """Whoever opens the link first, and in time, is signed in."""

    url: str
    expires_at: datetime


@router.post("", status_code=status.HTTP_201_CREATED)
async def make_sign_in_link(asking: ACaller, shared: AContext) -> SignInLinkView:
    """Make a link that signs in the installation's owner, once, within 15 minutes."""
    made = await shared.signing_in.make_link(asking, owner_id(shared.installation))
    home = shared.places.url(shared.places.own_host)
    return SignInLinkView(url=f"{home}{SIGN_IN}?{urlencode({'token': made.token})}", expires_at=made.expires_at)
