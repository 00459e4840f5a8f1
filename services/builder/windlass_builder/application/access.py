"""What opens a project's private sources and images: its credentials, with their secrets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import UUID

from windlass_builder.application.projections import CREDENTIALS
from windlass_builder.domain.repository import is_this_machine
from windlass_contracts.credential_values import CredentialKind, DeployKey, Login
from windlass_eventlog.projection import Rows
from windlass_eventlog.vault import SecretShreddedError, Vault

_USUAL_PORTS = {"https": 443, "http": 80, "ssh": 22}


@dataclass(frozen=True, slots=True)
class Access:
    """The secrets of one project, by host, with its port where that is not the usual one. Each is for its host alone.

    `owner` is whose they are: what was fetched with them is nobody else's.
    """

    owner: str = ""
    keys: Mapping[str, DeployKey] = field(default_factory=dict)
    logins: Mapping[str, Login] = field(default_factory=dict)
    registries: Mapping[str, Login] = field(default_factory=dict)

    def opening(self, url: str) -> DeployKey | Login | None:
        """Return what is shown to the host of a repository; a login goes nowhere unencrypted but to this machine."""
        parts = urlsplit(url)
        host = host_of(url)
        match parts.scheme:
            case "ssh":
                return self.keys.get(host)
            case "https":
                return self.logins.get(host)
            case "http" if is_this_machine(parts.hostname or ""):
                return self.logins.get(host)
            case _:
                return None


NO_ACCESS = Access()


def host_of(url: str) -> str:
    """Return the host of an address as credentials name it."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return host if parts.port in {None, _USUAL_PORTS.get(parts.scheme)} else f"{host}:{parts.port}"


@dataclass(frozen=True, slots=True)
class OpeningAccess:
    """Reads the secrets of a project's credentials, as the rows have them."""

    rows: Rows
    vault: Vault

    async def of(self, project: UUID) -> Access:
        """Return what opens the project's sources and images; one that is being taken back is left out.

        Raises:
            EventLogError: the rows or the vault do not answer, or no key opens a secret.
        """
        found = await self.rows.get(CREDENTIALS, project)
        keys: dict[str, DeployKey] = {}
        logins: dict[str, Login] = {}
        registries: dict[str, Login] = {}
        for one in () if found is None else found.row.all:
            try:
                secret = await self.vault.reveal(one.secret)
            except SecretShreddedError:
                continue
            match one.kind:
                case CredentialKind.DEPLOY_KEY:
                    keys[one.host] = DeployKey.model_validate_json(secret)
                case CredentialKind.HTTPS:
                    logins[one.host] = Login.model_validate_json(secret)
                case CredentialKind.REGISTRY:
                    registries[one.host] = Login.model_validate_json(secret)
                case _:  # a kind of a later release
                    continue
        return Access(str(project), keys, logins, registries)
