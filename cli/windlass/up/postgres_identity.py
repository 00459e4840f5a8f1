"""As whom PostgreSQL runs: it refuses to be root."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from windlass.up.errors import IdentityError

_UNPRIVILEGED = "nobody"  # in every passwd file, and initdb wants a user with a name


@dataclass(frozen=True, slots=True)
class Identity:
    """`prefix` goes before a command; `user`, if any, is the id that its process gets and its files belong to."""

    prefix: tuple[str, ...] = ()
    user: int | None = None


def choose_identity(must_reach: Sequence[Path]) -> Identity:
    """Return an identity that reaches all the paths.

    As root first a user namespace: the server sees itself as nobody and has no capability, yet the files stay ours,
    also below folders that only root enters, such as /root. Where namespaces are not permitted (an ordinary
    container): the user nobody, if it can reach the paths.

    Raises:
        IdentityError: neither works.
    """
    if os.geteuid() != 0:
        return Identity()
    nobody = pwd.getpwnam(_UNPRIVILEGED)
    namespace = ("unshare", "--user", f"--map-user={nobody.pw_uid}", f"--map-group={nobody.pw_gid}", "--")
    if _succeeds([*namespace, "true"]):
        return Identity(prefix=namespace)
    if closed := _first_closed(must_reach):
        raise IdentityError(
            f"PostgreSQL refuses to be root, this machine permits no user namespaces, and {closed} is for root alone.",
            "Run Windlass as another user, or put it and --home where every user may pass.",
        )
    return Identity(user=nobody.pw_uid)


def _succeeds(command: Sequence[str]) -> bool:
    try:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0  # noqa: S603 - our own words
    except FileNotFoundError:
        return False


def _first_closed(paths: Sequence[Path]) -> Path | None:
    """Return the first folder on the way to one of the paths that others may not pass."""
    for path in paths:
        for folder in path.resolve().parents:
            if not folder.stat().st_mode & 0o001:
                return folder
    return None
