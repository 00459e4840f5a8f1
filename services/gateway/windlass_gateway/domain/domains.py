"""Domains of somebody's own: what can be one, and whose each host is, over all teams."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import idna
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import DomainAssigned, DomainRemoved
from windlass_contracts.ids import EnvironmentId, ProjectId, derived
from windlass_contracts.subjects import Aggregate
from windlass_contracts.values import HostName
from windlass_gateway.domain.refusals import DomainNotFoundError, DomainTakenError, InvalidInputError

DOMAIN_REGISTRY_KEY: UUID = derived("registry", Aggregate.DOMAINS)
"""The key of the one row that the domains of all projects share."""

MOST_DOMAINS = 100
LONGEST_WRITTEN = 300

_HOST: TypeAdapter[str] = TypeAdapter(HostName)
_OF_NO_MACHINE = frozenset({"localhost", "invalid"})
_SHOWN, _LONGEST_REASON = 60, 160
_WRITE_IT = "Write it like www.example.com: no https://, no port, no path."


class Domain(BaseModel):
    """Whose a host is, and which environment it answers with."""

    model_config = ConfigDict(frozen=True)

    project: ProjectId
    environment: EnvironmentId
    assigned_at: datetime


class DomainRegistry(BaseModel):
    """Whose each host is. Its row's sequence is the one to expect when a host is assigned or removed."""

    model_config = ConfigDict(frozen=True)

    hosts: Mapping[str, Domain] = {}

    def of_project(self, project: UUID) -> dict[str, Domain]:
        return {host: domain for host, domain in sorted(self.hosts.items()) if domain.project == project}


@dataclass(frozen=True, slots=True)
class Assignment:
    """Somebody wants a host, in ASCII, to answer with an environment of a project."""

    project: ProjectId
    environment: EnvironmentId
    host: str


def evolve(row: DomainRegistry | None, recorded: Recorded[Event]) -> DomainRegistry | None:
    """Fold one event about any project's domains into the registry."""
    hosts = {} if row is None else row.hosts
    match recorded.event:
        case DomainAssigned(host=host, environment=environment):
            project, at = ProjectId(recorded.project), recorded.metadata.time
            domain = Domain(project=project, environment=environment, assigned_at=at)
            return DomainRegistry(hosts={**hosts, host: domain})
        case DomainRemoved(host=removed):
            return DomainRegistry(hosts={host: domain for host, domain in hosts.items() if host != removed})
        case _:
            return row


def decide_assignment(registry: DomainRegistry, wanted: Assignment) -> DomainAssigned | None:
    """Return the event after which the host answers with the environment; None where it does already.

    Raises:
        DomainTakenError: another project has it.
        InvalidInputError: the project has as many as it may.
    """
    known = registry.hosts.get(wanted.host)
    if known is not None and known.project != wanted.project:
        raise DomainTakenError(wanted.host)
    if known is not None and known.environment == wanted.environment:
        return None
    if known is None and (count := len(registry.of_project(wanted.project))) >= MOST_DOMAINS:
        raise InvalidInputError(
            f"The project has {count} domains; {MOST_DOMAINS} is the limit.",
            field="host",
            next_step="Remove those that it does not need: `windlass domains PROJECT remove HOST`.",
        )
    return DomainAssigned(host=wanted.host, environment=wanted.environment)


def decide_removal(registry: DomainRegistry, project: ProjectId, slug: str, host: str) -> DomainRemoved:
    """Return the event after which the host is nobody's.

    Raises:
        DomainNotFoundError: the project does not have it.
    """
    known = registry.hosts.get(host)
    if known is None or known.project != project:
        raise DomainNotFoundError(slug, host)
    return DomainRemoved(host=host)


def checked_domain(written: str, installation: str) -> str:
    """Return the host in ASCII, if it is one that somebody can bring to the installation of this domain.

    Raises:
        InvalidInputError: it is none, or one of the installation's own.
    """
    host = ascii_host(written)
    if host == installation or host.endswith(f".{installation}"):
        raise _refused(
            f"{host[:_SHOWN]} belongs to this installation, which makes the names there itself.",
            f"Bring a domain of your own; the addresses below {installation} are on the project's page.",
        )
    return host


def ascii_host(written: str) -> str:
    """Return a host as DNS knows it: letters of other scripts as A-labels, in lower case, without a dot at the end.

    Source: https://www.unicode.org/reports/tr46/, with the rules of IDNA 2008.

    Raises:
        InvalidInputError: it is none.
    """
    text = written.strip()
    if len(text) > LONGEST_WRITTEN:
        raise _refused("A host has 253 characters at most.")
    _check_spelling(text)
    try:
        host = idna.encode(text, uts46=True, std3_rules=True).decode().removesuffix(".")
    except UnicodeError as error:  # which idna's own errors are
        raise _refused(f"{text[:_SHOWN]!r} is no host name: {_reason(error)}.") from None
    return _checked(host)


def _check_spelling(text: str) -> None:
    """Refuse what people write most often instead of a host, each with its own reason."""
    if not text:
        raise _refused("There is no host.")
    if "*" in text:
        raise _refused("A wildcard is no host.", "Assign each host by itself; a project can have 100.")
    if "/" in text:
        raise _refused(f"{text[:_SHOWN]!r} is an address of a page, not a host.")
    if _is_ip_address(text.strip("[]")):
        raise _refused("An IP address is no domain: whoever has it is reached there already.")


def _checked(host: str) -> str:
    last = host.rpartition(".")[2]
    if _is_ip_address(host) or last.isdigit():
        raise _refused("An IP address is no domain: whoever has it is reached there already.")
    if last in _OF_NO_MACHINE:
        raise _refused(f"Names that end in {last} lead to no machine but the visitor's own.")
    if "." not in host:
        raise _refused(f"{host[:_SHOWN]!r} is a single label: nobody's DNS can lead it here.")
    try:
        return _HOST.validate_python(host)
    except ValidationError:
        raise _refused(f"{host[:_SHOWN]!r} is no host name.") from None


def _is_ip_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _reason(error: UnicodeError) -> str:
    return str(error).rstrip(".")[:_LONGEST_REASON]


def _refused(detail: str, next_step: str = _WRITE_IT) -> InvalidInputError:
    return InvalidInputError(detail, field="host", next_step=next_step)
