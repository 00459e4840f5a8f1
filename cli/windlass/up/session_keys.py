"""The keys of the dashboard's sessions: made where there are none, and changed every 30 days.

Losing them costs nothing but that everybody has to sign in again.
"""

import base64
import os
from datetime import UTC, datetime, timedelta

from windlass.up.atomic_file import write_private
from windlass.up.errors import StateError
from windlass.up.home import Home

CHANGED_AFTER = timedelta(days=30)
_KEPT = 1
"""A session lives for half as long as a key is the newest: the one before it opens all that there are."""


def keep_session_keys(home: Home, now: datetime) -> None:
    """Make sure that there are keys, and that the newest is young enough.

    Raises:
        StateError: the file cannot be read or written.
    """
    path = home.session_keys
    try:
        if not path.exists():
            write_private(path, f"{fernet_key()}\n")
        elif now - datetime.fromtimestamp(path.stat().st_mtime, UTC) > CHANGED_AFTER:
            earlier = path.read_text(encoding="ascii").split()[:_KEPT]
            write_private(path, "".join(f"{key}\n" for key in (fernet_key(), *earlier)))
    except (OSError, UnicodeError) as error:
        raise StateError(
            f"{path} cannot be used: {error}.", "Remove it: new keys are made, and everybody signs in again."
        ) from error


def fernet_key() -> str:
    """Return 32 random bytes in the form of https://github.com/fernet/spec."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode()
