"""What every service is told by its environment."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from windlass_contracts.ids import InstallationId, TeamId
from windlass_contracts.values import NodeName, Port


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        msg = f"{path} is not absolute"
        raise ValueError(msg)
    return path


AbsolutePath = Annotated[Path, AfterValidator(_absolute)]


class CommonSettings(BaseSettings):
    """Settings of one service; a service that needs more of them subclasses it.

    The two URLs may contain passwords: they are shown as stars wherever settings are printed.
    """

    model_config = SettingsConfigDict(env_prefix="WINDLASS_", frozen=True, extra="ignore")

    installation: InstallationId
    team: Annotated[TeamId, Field(description="the team that owns what is created without naming another")]
    node: NodeName
    home: AbsolutePath
    nats_url: SecretStr
    nats_seed_file: Annotated[
        AbsolutePath | None, Field(description="the seed of this service's user; none where the URL names the user")
    ] = None
    database_url: SecretStr
    secrets_keys_file: AbsolutePath
    runtime: Literal["docker", "process"] = "docker"
    domain: str = "localhost"
    http_port: Port = 8_080
