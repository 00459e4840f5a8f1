"""Sessions of the dashboard: all there is of one is in its cookie, encrypted and signed, with the time it was made.

A cookie that was forged, cut short, made by another installation, or is too old is no session.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, Self
from uuid import UUID, uuid4

from cryptography.fernet import InvalidToken, MultiFernet
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from windlass_contracts.ids import TeamId
from windlass_gateway.application.access import Caller, Members

LIFETIME = timedelta(days=14)
RENEWED_AFTER = timedelta(days=1)
_NAME = "windlass_session"
_LONGEST = 2_048


class Session(BaseModel):
    """Who signed in and when; `csrf` is in every form of their pages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    id: UUID
    person: UUID
    team: TeamId
    csrf: str
    signed_in_at: AwareDatetime

    @classmethod
    def begun(cls, person: UUID, team: TeamId, now: datetime) -> Self:
        return cls(id=uuid4(), person=person, team=team, csrf=secrets.token_urlsafe(32), signed_in_at=now)


@dataclass(frozen=True, slots=True)
class Opened:
    """A session whose cookie is genuine, whose it is, and since when the cookie exists."""

    session: Session
    caller: Caller
    since: datetime


@dataclass(frozen=True, slots=True)
class Sessions:
    """Makes and reads the cookies of sessions."""

    keys: MultiFernet
    members: Members
    clock: Callable[[], datetime]

    def opened(self, cookies: Mapping[str, str], *, secure: bool) -> Opened | None:
        """Return the session that a request's cookies carry, if one does."""
        token = cookies.get(_name(secure=secure), "")
        if not token.isascii() or len(token) > _LONGEST:
            return None
        try:
            content = self.keys.decrypt_at_time(token, int(LIFETIME.total_seconds()), self._now)
            session = Session.model_validate_json(content)
        except (InvalidToken, ValidationError):
            return None
        caller = self.members.caller(session.person, session.team)
        since = datetime.fromtimestamp(self.keys.extract_timestamp(token), UTC)
        return None if caller is None else Opened(session, caller, since)

    def renewed(self, opened: Opened, *, secure: bool) -> str | None:
        """Return a younger cookie for a session whose own is a day old; None while it is not."""
        if self.clock() - opened.since < RENEWED_AFTER:
            return None
        return self.cookie(opened.session, secure=secure)

    def cookie(self, session: Session, *, secure: bool) -> str:
        """Return the value of `Set-Cookie` that hands the session to the browser."""
        token = self.keys.encrypt_at_time(session.model_dump_json().encode(), self._now).decode()
        return _set_cookie(token, LIFETIME, secure=secure)

    @property
    def _now(self) -> int:
        return int(self.clock().timestamp())


def forgotten(*, secure: bool) -> str:
    """Return the value of `Set-Cookie` that takes the session away from the browser."""
    return _set_cookie("", timedelta(0), secure=secure)


def _name(*, secure: bool) -> str:
    """Browsers take a name with this prefix only from the host itself: no app on a sibling host can plant one."""
    return f"__Host-{_NAME}" if secure else _NAME


def _set_cookie(value: str, lifetime: timedelta, *, secure: bool) -> str:
    # No Domain: apps answer on sibling hosts, and must not get it.
    attributes = f"Max-Age={lifetime.total_seconds():.0f}; Path=/; HttpOnly; SameSite=Lax{'; Secure' if secure else ''}"
    return f"{_name(secure=secure)}={value}; {attributes}"
