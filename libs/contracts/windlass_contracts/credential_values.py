"""What the value of a credential says, as it lies encrypted in `SECRETS`: the gateway writes it, the builder reads it.

Additive optional fields keep what is stored readable; nothing of it is ever in an event.
"""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class CredentialKind(StrEnum):
    """What a credential opens."""

    DEPLOY_KEY = "deploy-key"
    """Git over SSH."""
    HTTPS = "https"
    """Git over HTTPS."""
    REGISTRY = "registry"
    """Ready images."""


class DeployKey(BaseModel):
    """An Ed25519 key that was made for one project and one host."""

    model_config = ConfigDict(frozen=True)

    private_key: str = Field(repr=False)
    """In OpenSSH's format, without a passphrase."""


class Login(BaseModel):
    """A user's name with a password or token."""

    model_config = ConfigDict(frozen=True)

    user: str = Field(repr=False)
    password: str = Field(repr=False)
