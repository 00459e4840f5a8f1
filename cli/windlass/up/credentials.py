"""The secrets of an installation: made once, readable by its owner alone."""

import hashlib
import json
import secrets

from pydantic import BaseModel, ConfigDict, ValidationError

from windlass.up.atomic_file import write_private
from windlass.up.errors import StateError
from windlass.up.home import Home
from windlass.up.session_keys import fernet_key

_RESTORE = "Restore it from a backup: without it what is encrypted stays so. Or start anew with --home DIRECTORY."


def _webhook_key() -> str:
    return secrets.token_urlsafe(32)


class Credentials(BaseModel):
    """What the parts of one installation know each other by."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    postgres_password: str
    """The superuser's; each service's own is derived from it."""
    api_token: str
    marker_path: str
    """Where Traefik answers with the generation of its routes."""
    traefik_api_path: str
    webhook_key: str
    """What the secrets of all webhooks are derived from."""

    @property
    def api_token_sha256(self) -> str:
        """What the gateway is told: it can check the token, and cannot leak it."""
        return hashlib.sha256(self.api_token.encode()).hexdigest()

    def database_password(self, service: str) -> str:
        """Return the password of the role that owns the service's database."""
        return hashlib.sha256(f"{self.postgres_password}/{service}".encode()).hexdigest()

    @classmethod
    def create(cls, home: Home) -> "Credentials":
        """Make new secrets and write them, the keys of stored variables too."""
        credentials = cls(
            postgres_password=secrets.token_urlsafe(24),
            api_token=f"wl_{secrets.token_urlsafe(32)}",
            marker_path=f"/{secrets.token_urlsafe(18)}",
            traefik_api_path=f"/{secrets.token_urlsafe(18)}",
            webhook_key=_webhook_key(),
        )
        write_private(home.secrets_keys, f"{fernet_key()}\n")
        write_private(home.credentials, credentials.model_dump_json(indent=2))
        return credentials

    @classmethod
    def _completed(cls, home: Home, stored: bytes) -> "Credentials":
        """Return what is stored, without what an earlier version had; what it did not have yet is made and written."""
        try:
            return cls.model_validate_json(stored)
        except ValidationError as error:
            faults = {(fault["type"], fault["loc"]) for fault in error.errors()}
            if not faults <= {("missing", ("webhook_key",)), ("extra_forbidden", ("nats_password",))}:
                raise
        fields = {"webhook_key": _webhook_key(), **json.loads(stored)}
        fields.pop("nats_password", None)
        completed = cls.model_validate(fields)
        write_private(home.credentials, completed.model_dump_json(indent=2))
        return completed

    @classmethod
    def read(cls, home: Home) -> "Credentials":
        """Return the secrets of an installation that was started before.

        Raises:
            StateError: a file is missing or damaged; new secrets would not open what the old ones closed.
        """
        if not home.secrets_keys.is_file():
            raise StateError(f"{home.secrets_keys} is missing.", _RESTORE)
        try:
            return cls._completed(home, home.credentials.read_bytes())
        except OSError as error:
            raise StateError(f"{home.credentials} cannot be read: {error.strerror}.", _RESTORE) from error
        except ValidationError as error:
            # The message of the error itself would quote the file.
            fields = ", ".join(".".join(map(str, fault["loc"])) or "JSON" for fault in error.errors())
            raise StateError(f"{home.credentials} is damaged ({fields}).", _RESTORE) from None
