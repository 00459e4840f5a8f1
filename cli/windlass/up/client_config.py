"""How the `windlass` command finds this installation: its address and token, for this user alone."""

import fcntl
import os
from pathlib import Path
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from windlass.up.atomic_file import write_private
from windlass.up.errors import StateError
from windlass.up.home import Home
from windlass.up.lock import holder


class Profile(BaseModel):
    """One installation, as its client sees it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    installation: str
    team: UUID
    api_url: str
    token: str


class ClientConfig(BaseModel):
    """`$XDG_CONFIG_HOME/windlass/config.json`: all installations of this user, by state folder, and the default one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    default: str
    installations: dict[str, Profile]


def config_path() -> Path:
    """Return where the command looks for its configuration."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "windlass" / "config.json"


def write_client_config(home: Home, profile: Profile) -> bool:
    """Write the profile into the state folder and the user's configuration; tell whether it is the default there.

    The default stays with the installation that has it for as long as that one runs; otherwise it goes to this one.

    Raises:
        StateError: the configuration cannot be read or written.
    """
    write_private(home.client, profile.model_dump_json(indent=2))
    path = config_path()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            config = _with(_read(path), str(home.root), profile)
            write_private(path, config.model_dump_json(indent=2))
    except OSError as error:
        raise StateError(
            f"{path} cannot be written: {error.strerror}.", "Set XDG_CONFIG_HOME to a folder of yours."
        ) from error
    return config.default == str(home.root)


def _read(path: Path) -> ClientConfig | None:
    try:
        return ClientConfig.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:
        # It holds tokens, so neither the message nor the cause may quote it.
        raise StateError(f"{path} is damaged.", "Move it away, then run `windlass up` again.") from None


def _with(config: ClientConfig | None, root: str, profile: Profile) -> ClientConfig:
    if config is None:
        return ClientConfig(default=root, installations={root: profile})
    keeps_default = config.default == root or holder(Home(Path(config.default))) is not None
    return ClientConfig(
        default=config.default if keeps_default else root, installations={**config.installations, root: profile}
    )
