"""The router's settings, from the environment."""

from typing import Annotated

from pydantic import AfterValidator, HttpUrl, StringConstraints, TypeAdapter

from windlass_contracts.values import Port
from windlass_eventlog.settings import AbsolutePath, CommonSettings
from windlass_router.domain.hosts import UnsafeHostError, checked_host

_URL = TypeAdapter(HttpUrl)


def _without_last_slash(url: str) -> str:
    found = _URL.validate_python(url)
    if found.scheme != "http" or found.query or found.fragment or found.username:
        msg = f"{url!r} is not of the form http://host:port/path: the proxy is asked in plain HTTP, on this machine."
        raise ValueError(msg)
    return str(found).rstrip("/")


def _domain(domain: str) -> str:
    try:
        checked_host(f"windlass.{domain}")
    except UnsafeHostError as error:
        raise ValueError(str(error)) from error
    return domain


BaseUrl = Annotated[str, AfterValidator(_without_last_slash)]
SecretPath = Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9_-]{16,}$")]


class RouterSettings(CommonSettings):
    """What the router needs to know beyond what every service does.

    `traefik_dir` is the folder of the file that Traefik watches, `traefik_url` its public entry point as this machine
    reaches it, `traefik_api_url` its API; whoever knows `marker_path` can ask which routes it serves. `traefik_base` is
    a file of JSON with what each configuration has to contain beside the routes: the API's own, a certificate.
    """

    domain: Annotated[str, AfterValidator(_domain)] = "localhost"
    gateway_port: Port
    traefik_dir: AbsolutePath
    traefik_base: AbsolutePath | None = None
    traefik_url: BaseUrl
    traefik_api_url: BaseUrl
    marker_path: SecretPath
