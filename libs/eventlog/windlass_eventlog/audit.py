"""Port to the stream AUDIT: who was refused what, and which operators' acts were done. None of it is an event.

An entry holds nothing that a stranger could choose freely, and no value of any field of a request: no paths with their
names, no query, no headers, no bodies. Of an address it keeps the network alone.
"""

import re
from collections.abc import Sequence
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Annotated, Literal, Protocol
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from windlass_contracts.cloudevent import Actor
from windlass_contracts.subjects import Service
from windlass_eventlog.topology import ALL_AUDITS

ANONYMOUS = "anonymous"
"""Somebody who did not prove who they are."""

UNKNOWN = "unknown"
"""A network that nothing says."""

_IPV4_KEPT, _IPV6_KEPT = 24, 48
_NOT_IN_TOKENS = re.compile(r"[^A-Za-z0-9_-]")

AuditCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,100}$")]


class Outcome(StrEnum):
    """What became of a request."""

    REFUSED = "refused"
    DONE = "done"


class AuditEntry(BaseModel):
    """One request that was refused, or one act of an operator that was done.

    `left_out` counts the refusals before this one that were not written, because there were too many.
    """

    model_config = ConfigDict(frozen=True)

    id: UUID
    at: AwareDatetime
    service: Service
    outcome: Outcome
    operation: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9 _./{}:()-]{1,200}$")]
    code: AuditCode
    status: Annotated[int, Field(ge=100, le=599)]
    actor: Actor | Literal["anonymous"]
    network: Annotated[str, StringConstraints(pattern=r"^([0-9a-f.:]{2,45}/[0-9]{1,3}|unknown)$")]
    left_out: Annotated[int, Field(ge=0)] = 0

    @property
    def subject(self) -> str:
        """Return where it is kept: actor and network each have their own thousand entries."""
        return f"audit.{self.service}.{_token(self.actor)}.{_token(self.network)}"

    def answers(self, actor: str | None, code: str | None) -> bool:
        """Return whether it is one of those that are asked for."""
        return actor in {None, self.actor} and code in {None, self.code}


class Audit(Protocol):
    """The entries of an installation; the oldest of a subject make room for its newest."""

    async def append(self, entry: AuditEntry) -> None:
        """Keep an entry; the same one twice within two minutes is kept once.

        Raises:
            LogUnavailableError: it is not known whether it is kept.
        """
        ...

    async def latest(self, limit: int, *, actor: str | None = None, code: str | None = None) -> Sequence[AuditEntry]:
        """Return so many entries, the newest first; only an actor's, or those with a code, where these are given.

        Raises:
            LogUnavailableError: they cannot be read.
        """
        ...


def network_of(address: str | None) -> str:
    """Return the network of an address: the first 24 bits of an IPv4 one, the first 48 of an IPv6 one.

    That is what an operator can block, and about as much as one sender has of IPv6; it does not name a person. What is
    no address (a proxy passes on what it was told) is `unknown`.
    """
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return UNKNOWN
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is None:
            return str(IPv6Network((int(parsed), _IPV6_KEPT), strict=False))
        parsed = parsed.ipv4_mapped
    return str(IPv4Network((int(parsed), _IPV4_KEPT), strict=False))


def pattern_of(actor: str | None) -> str:
    """Return the subjects that hold what an actor did; without one, all of them."""
    return ALL_AUDITS if actor is None else f"audit.*.{_token(actor)}.*"


def _token(text: str) -> str:
    return _NOT_IN_TOKENS.sub("-", text)[:100] or "-"
