"""What may be in an archive that somebody uploaded: names and links that stay inside of it."""

import re

MOST_MEMBERS = 100_000
MOST_BYTES = 2 * 2**30
"""Of all files together, unpacked."""

_LONGEST_PATH = 1_000
_LONGEST_NAME = 255
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


def clean_path(written: str) -> str | None:
    """Return a path inside the archive without what means nothing; None for its top.

    Raises:
        ValueError: it leads out, or no file system or reader should meet it. The message ends a sentence.
    """
    path = written.removeprefix("./").rstrip("/")
    if path in {"", "."}:
        return None
    parts = path.split("/")
    shown = _CONTROL.sub("?", written[:80])
    if written.startswith("/"):
        raise ValueError(f"the path {shown!r} is absolute")
    if any(part in {"", ".", ".."} for part in parts):
        raise ValueError(f"the path {shown!r} leads elsewhere than its letters say")
    if _CONTROL.search(path):
        raise ValueError(f"the name {shown!r} is not UTF-8, or has control characters")
    if len(path.encode()) > _LONGEST_PATH or any(len(part.encode()) > _LONGEST_NAME for part in parts):
        raise ValueError(f"the path {shown!r} is too long")
    if ".git" in (part.lower() for part in parts):
        raise ValueError(f"the path {shown!r} is Git's own")
    return path


def check_link(path: str, target: str) -> None:
    """Make sure that a symbolic link at the path leads to somewhere inside: upwards first, and only then downwards.

    A target that goes down and up again could leave by another link on its way.

    Raises:
        ValueError: it may lead out. The message ends a sentence.
    """
    parts = [part for part in target.split("/") if part not in {"", "."}]
    up = next((number for number, part in enumerate(parts) if part != ".."), len(parts))
    if target.startswith("/") or not target or ".." in parts[up:] or up > path.count("/") or _CONTROL.search(target):
        raise ValueError(f"the link {path[:80]!r} leads out of the folder")
