"""What the gateway is told by its environment."""

from typing import Annotated

from pydantic import Field

from windlass_contracts.values import Port
from windlass_eventlog.settings import AbsolutePath, CommonSettings


class GatewaySettings(CommonSettings):
    """The common settings, where to listen on loopback, the digest of the installation's API token, sessions' keys."""

    gateway_port: Port
    api_token_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    session_keys_file: AbsolutePath
