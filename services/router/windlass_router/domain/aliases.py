"""The names of addresses: labels that are valid in DNS, and that no two things can ever share.

Two dashes in a row stand only where parts of a label meet: no slug, environment or spelled branch has them. The first
part names the project, so nobody takes another's address by a clever name; a label that had to be shortened, or that
could not spell its name, has a part more than one that could, so nobody takes that one either.
"""

import hashlib
import re

from windlass_contracts.events.routes import Alias
from windlass_contracts.ids import DeploymentId, EnvironmentId

LONGEST_LABEL = 63
ASLEEP_OR_UNKNOWN = r"[a-z0-9-]+--id--[0-9a-f]{12}"
"""What the labels of single deployments look like."""

_HASH_DIGITS = 8
_ID_DIGITS = 12


def environment_alias(slug: str, environment: EnvironmentId, name: str, *, production: bool) -> Alias:
    """Return an environment's own address; production's is the project's."""
    label = slug if production else _label(f"{slug}--", name, name)
    return Alias(kind="environment", name=label, environment=environment)


def environment_id_alias(slug: str, environment: EnvironmentId) -> Alias:
    """Return the address of an environment that stays when it is renamed."""
    return Alias(kind="environment-id", name=f"{slug}--env--{environment.hex[:_ID_DIGITS]}", environment=environment)


def branch_alias(slug: str, branch: str, environment: EnvironmentId) -> Alias:
    """Return the address of a branch's newest version."""
    spelled = re.sub(r"[^a-z0-9]+", "-", branch.lower()).strip("-")
    return Alias(kind="branch", name=_label(f"{slug}--git--", spelled, branch), environment=environment)


def domain_alias(host: str, environment: EnvironmentId) -> Alias:
    """Return the address that somebody brought: a whole host name."""
    return Alias(kind="domain", name=host, environment=environment)


def deployment_alias(slug: str, deployment: DeploymentId) -> Alias:
    """Return the address that is one deployment's alone."""
    return Alias(kind="deployment", name=f"{slug}--id--{deployment.hex[:_ID_DIGITS]}")


def _label(prefix: str, spelled: str, identity: str) -> str:
    """Spell the identity where that says it all; otherwise as much of it as there is room for, and its hash."""
    plain = prefix + spelled
    if spelled == identity and len(plain) <= LONGEST_LABEL:
        return plain
    ending = f"--{hashlib.sha256(identity.encode()).hexdigest()[:_HASH_DIGITS]}"
    room = LONGEST_LABEL - len(prefix) - len(ending)
    return f"{prefix}{spelled[:room].strip('-') or 'x'}{ending}"
