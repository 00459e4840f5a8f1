"""The secrets of a deployment, as what must not stand in its lines."""

from collections.abc import Iterable

import structlog

from windlass_contracts.events.deployment import VariableVersion
from windlass_eventlog.logs.redaction import Redaction
from windlass_eventlog.vault import SecretShreddedError, Vault

_log = structlog.get_logger(__name__)


async def redaction_of(vault: Vault, variables: Iterable[VariableVersion]) -> Redaction:
    """Return the redaction of all values of a deployment's variables.

    A value that was deleted since can no longer be recognised: nobody has it but the app that still runs with it.

    Raises:
        SecretUnreadableError: a value cannot be decrypted, so that no line may be stored.
    """
    values = []
    for variable in variables:
        try:
            values.append(await vault.reveal(variable.secret))
        except SecretShreddedError:
            await _log.awarning("logs.value_deleted", variable=variable.name, secret=str(variable.secret))
    return Redaction(values)
