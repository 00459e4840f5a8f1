"""The platform's own logs: one file for each child, and a bound on its size.

Children write to their files themselves: a stalled terminal stalls nobody.
"""

import os
import re
import shutil
from pathlib import Path

LARGEST_BYTES = 8 * 1024 * 1024
_TAIL_BYTES = 4096
_LINE_CHARACTERS = 160
_LINES_THAT_COUNT = 4
_SPEAKS_OF_AN_ERROR = re.compile(r"error|fatal|panic", re.IGNORECASE)


def open_log(path: Path) -> int:
    """Return a descriptor that appends to the log; whoever gets it closes it."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def bound_log(path: Path) -> None:
    """Move a log that has grown beyond 8 MiB to `<name>.log.1`, replacing the one before.

    Copied and emptied in place, for its writers keep it open: they append, so they go on at the new end. What they
    write between the copy's end and the emptying, microseconds later, is lost.
    """
    if not path.exists() or path.stat().st_size <= LARGEST_BYTES:
        return
    shutil.copyfile(path, path.with_name(f"{path.name}.1"))
    os.truncate(path, 0)


def last_words(path: Path) -> str:
    """Return the line that most likely says why the log ends, shortened to 160 characters; empty if there is none.

    That is the last one, unless one of the three before it speaks of an error: PostgreSQL says goodbye after that.
    """
    try:
        with path.open("rb") as file:
            file.seek(max(path.stat().st_size - _TAIL_BYTES, 0))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return ""
    last = [line.strip()[:_LINE_CHARACTERS] for line in lines if line.strip()][-_LINES_THAT_COUNT:]
    return next(filter(_SPEAKS_OF_AN_ERROR.search, reversed(last)), last[-1] if last else "")
