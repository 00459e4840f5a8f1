"""What the gateway is told by its environment."""

from typing import Annotated

from pydantic import Field, SecretStr

from windlass_contracts.values import Port
from windlass_eventlog.settings import AbsolutePath, CommonSettings


class GatewaySettings(CommonSettings):
    """The common settings, where to listen on loopback, and what proves who somebody is.

    The digest of the installation's API token, the file of the keys of sessions, and the key that the secrets of
    webhooks are derived from.
    """

    gateway_port: Port
    api_token_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    session_keys_file: AbsolutePath
    webhook_key: Annotated[SecretStr, Field(min_length=32)]
