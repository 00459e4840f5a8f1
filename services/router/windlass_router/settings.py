"""The router's settings, from the environment."""

from pathlib import Path

from windlass_contracts.values import Port
from windlass_eventlog.settings import CommonSettings


class RouterSettings(CommonSettings):
    """What the router needs to know beyond what every service does."""

    gateway_port: Port
    traefik_dir: Path
    traefik_url: str
    traefik_api_url: str
    marker_path: str
