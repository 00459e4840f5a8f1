"""How the builder may reach a project's sources and images; the secrets themselves lie in the bucket `SECRETS`."""

from typing import ClassVar

from windlass_contracts.event import Event
from windlass_contracts.ids import SecretId
from windlass_contracts.subjects import Aggregate, Service
from windlass_contracts.values import HostPort, PublicKey, Token


class CredentialSet(Event):
    """From the next deployment on, the builder shows this credential to the host; it replaces the one before."""

    TYPE: ClassVar = "credential.set.v1"
    AGGREGATE: ClassVar = Aggregate.CREDENTIALS
    APPENDED_BY: ClassVar = frozenset({Service.GATEWAY})

    kind: Token
    """`deploy-key` for SSH, `https` for Git over HTTPS, `registry` for ready images."""
    host: HostPort
    """The only one that ever sees it."""
    secret: SecretId
    """A private key, or a user's name with a password or token; stored before this event was appended."""
    public_key: PublicKey | None = None
    """Of a deploy key: what the repository's host is told."""


class CredentialRemoved(Event):
    """The builder reaches the host without this credential from here on."""

    TYPE: ClassVar = "credential.removed.v1"
    AGGREGATE: ClassVar = Aggregate.CREDENTIALS
    APPENDED_BY: ClassVar = frozenset({Service.GATEWAY})

    kind: Token
    host: HostPort
