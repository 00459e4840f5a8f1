"""The users of an installation's NATS server: a seed for each, in a file that its owner alone can read."""

from windlass.up.atomic_file import write_private
from windlass.up.errors import StateError
from windlass.up.home import Home
from windlass_eventlog.jetstream.seeds import new_seed, public_key
from windlass_eventlog.rights import USERS


def keep_nats_keys(home: Home) -> dict[str, str]:
    """Make the seeds that are missing, and return the public keys of all users.

    A seed that was lost is no loss: server and service both learn of the new one at this start.

    Raises:
        StateError: a seed cannot be read or written, or is none.
    """
    return {user: _public_key(home, user) for user in USERS}


def _public_key(home: Home, user: str) -> str:
    file = home.nats_seed(user)
    try:
        if not file.exists():
            file.parent.mkdir(mode=0o700, exist_ok=True)
            write_private(file, f"{new_seed()}\n")
        return public_key(file.read_text())
    except OSError as error:
        raise StateError(f"{file} cannot be used: {error.strerror}.", "Correct its owner and mode.") from error
    except ValueError:
        raise StateError(f"{file} is damaged.", "Delete it: a new one is made at the next start.") from None
