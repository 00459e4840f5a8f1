"""The router's settings, from the environment."""

from typing import Annotated

from pydantic import AfterValidator, HttpUrl, StringConstraints, TypeAdapter

from windlass_contracts.values import Port
from windlass_eventlog.settings import AbsolutePath, CommonSettings

_URL = TypeAdapter(HttpUrl)


def _without_last_slash(url: str) -> str:
    return str(_URL.validate_python(url)).rstrip("/")


BaseUrl = Annotated[str, AfterValidator(_without_last_slash)]
SecretPath = Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9_-]{16,}$")]


class RouterSettings(CommonSettings):
    """What the router needs to know beyond what every service does.

    `traefik_dir` is the folder that Traefik watches, `traefik_url` its public entry point as this machine reaches it,
    `traefik_api_url` its API; whoever knows `marker_path` can ask which routes it serves.
    """

    gateway_port: Port
    traefik_dir: AbsolutePath
    traefik_url: BaseUrl
    traefik_api_url: BaseUrl
    marker_path: SecretPath
