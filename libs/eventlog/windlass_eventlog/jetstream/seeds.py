"""Seeds: what a user of the server signs with. The server has its public key alone.

Source: https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/nkey_auth
"""

import secrets
from pathlib import Path

import nkeys

from windlass_eventlog.errors import PermissionDeniedError


def new_seed() -> str:
    """Make a user."""
    return str(nkeys.encode_seed(secrets.token_bytes(32), nkeys.PREFIX_BYTE_USER).decode())


def public_key(seed: str) -> str:
    """Return what the server knows a user by.

    Raises:
        ValueError: this is no seed.
    """
    try:
        return str(nkeys.from_seed(bytearray(seed.strip().encode())).public_key.decode())
    except (nkeys.NkeysError, ValueError, IndexError) as error:
        raise ValueError("This is no seed of a user.") from error


def check_seed(file: Path | None) -> None:
    """Make sure that clients can read the file; what is in it is never quoted.

    Raises:
        PermissionDeniedError: they cannot, or there is no seed in it.
    """
    if file is None:
        return
    try:
        public_key(file.read_text())
    except OSError as error:
        msg = f"{file} cannot be read ({error.strerror}): WINDLASS_NATS_SEED_FILE names the seed of this service."
        raise PermissionDeniedError(msg) from error
    except ValueError:
        msg = f"There is no seed in {file}: WINDLASS_NATS_SEED_FILE names the seed of this service."
        raise PermissionDeniedError(msg) from None
