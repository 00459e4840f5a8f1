"""The names of addresses: labels that are valid in DNS, and that no two things can ever share.

A slug never contains two dashes in a row, so what stands before the first `--` names the project, and what stands
between two of them names the kind: nobody takes another's address by a clever name.
"""

import hashlib
import re

from windlass_contracts.events.routes import Alias
from windlass_contracts.ids import DeploymentId, EnvironmentId

LONGEST_LABEL = 63
_HASH_DIGITS = 8
_ID_DIGITS = 12


def environment_alias(slug: str, environment: EnvironmentId, name: str, *, production: bool) -> Alias:
    """Return an environment's own address; production's is the project's."""
    label = slug if production else _fit(f"{slug}--{name}", name)
    return Alias(kind="environment", name=label, environment=environment)


def environment_id_alias(slug: str, environment: EnvironmentId) -> Alias:
    """Return the address of an environment that stays when it is renamed."""
    return Alias(kind="environment-id", name=f"{slug}--env--{environment.hex[:_ID_DIGITS]}", environment=environment)


def branch_alias(slug: str, ref: str, environment: EnvironmentId) -> Alias:
    """Return the address of a branch's newest version; what a label cannot spell is told apart by a hash."""
    branch = ref.removeprefix("refs/heads/")
    spelled = re.sub(r"[^a-z0-9]+", "-", branch.lower()).strip("-")
    if spelled != branch:
        spelled = f"{spelled}-{_hash(branch)}".strip("-")
    return Alias(kind="branch", name=_fit(f"{slug}--git--{spelled}", branch), environment=environment)


def deployment_alias(slug: str, deployment: DeploymentId) -> Alias:
    """Return the address that is one deployment's alone."""
    return Alias(kind="deployment", name=f"{slug}--id--{deployment.hex[:_ID_DIGITS]}")


def _fit(label: str, identity: str) -> str:
    if len(label) <= LONGEST_LABEL:
        return label
    return f"{label[: LONGEST_LABEL - _HASH_DIGITS - 1].rstrip('-')}-{_hash(identity)}"


def _hash(identity: str) -> str:
    return hashlib.sha256(identity.encode()).hexdigest()[:_HASH_DIGITS]
