"""Who this installation is: written once, at the first start, and never changed."""

import platform
import re
import secrets
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from windlass.up.atomic_file import write_private
from windlass.up.credentials import Credentials
from windlass.up.errors import StateError
from windlass.up.home import Home
from windlass_contracts.ids import InstallationId, team_id


class Installation(BaseModel):
    """The identity of an installation; `id` labels all that it makes in a container engine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    id: InstallationId
    team: UUID
    node: str
    created: datetime

    @classmethod
    def new(cls) -> "Installation":
        """Invent an installation for this machine."""
        identity = secrets.token_hex(4)
        return cls(id=identity, team=team_id(identity), node=_node_name(), created=datetime.now(UTC))


def open_installation(home: Home) -> tuple[Installation, Credentials]:
    """Return the installation in `home` with its credentials; made now, if this is the first start.

    Raises:
        StateError: what lies there is damaged, incomplete or of a newer version.
    """
    if home.installation.exists():
        return _read(home), Credentials.read(home)
    credentials = Credentials.create(home)
    installation = Installation.new()
    # Last, for its presence says that all the rest is there.
    write_private(home.installation, installation.model_dump_json(indent=2))
    return installation, credentials


def _read(home: Home) -> Installation:
    try:
        return Installation.model_validate_json(home.installation.read_bytes())
    except (OSError, ValidationError) as error:
        raise StateError(
            f"{home.installation} cannot be read as an installation: {error}.",
            "Restore it from a backup, use the Windlass version that wrote it, or start anew with --home DIRECTORY.",
        ) from error


def _node_name() -> str:
    """Return this machine's name, reduced to what subjects and container names allow."""
    return re.sub(r"[^a-z0-9]+", "-", platform.node().lower()).strip("-")[:40] or "local"
