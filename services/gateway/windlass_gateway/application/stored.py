"""Asking the vault which values are there."""

import asyncio
from collections.abc import Iterable
from uuid import UUID

from windlass_eventlog.vault import Vault
from windlass_gateway.domain.deployment import Deployment
from windlass_gateway.domain.shredding import missing_names

_AT_ONCE = 64


async def absent(vault: Vault, secrets: Iterable[UUID]) -> frozenset[UUID]:
    """Return those of the values that are not there (any more).

    Raises:
        LogUnavailableError: the bucket does not answer.
    """
    distinct = list(dict.fromkeys(secrets))
    missing: set[UUID] = set()
    for start in range(0, len(distinct), _AT_ONCE):
        some = distinct[start : start + _AT_ONCE]
        present = await asyncio.gather(*(vault.has(secret) for secret in some))
        missing.update(secret for secret, is_there in zip(some, present, strict=True) if not is_there)
    return frozenset(missing)


async def shredded_names(vault: Vault, row: Deployment) -> tuple[str, ...]:
    """Return the names of the variables that a deployment cannot get any more as it was made with them."""
    return missing_names(row, await absent(vault, (variable.secret for variable in row.variables)))
