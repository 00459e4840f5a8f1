"""What is accepted as the address of a repository, as a ref, and as a root folder: nothing that Git could misread."""

import re
from ipaddress import ip_address
from pathlib import PurePosixPath
from urllib.parse import urlsplit

_SCHEMES = frozenset({"http", "https", "ssh", "git"})
_LONGEST_URL = 2_000
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
# https://git-scm.com/docs/git-check-ref-format, and no glob characters, which `git ls-remote` would expand.
_BAD_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[-/.]|/\.|[/.]$|\.lock(/|$)|^@$")
_LONGEST_REF = 250


def repository_url_problem(url: str, *, loopback_allowed: bool = False) -> str | None:
    """Return what is wrong with a repository's address, as the end of a sentence; None where nothing is.

    Loopback and link-local hosts are this machine's own services, reached only where that is allowed. Addresses of
    files are left to who knows the disk.
    """
    if len(url) > _LONGEST_URL or not url.isprintable() or " " in url:
        return "is too long or holds spaces or control characters"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "is no URL"
    if parts.scheme == "file":
        return None if parts.path.startswith("/") and not parts.netloc else "is no file:///folder"
    user, host = parts.username, parts.hostname or ""
    problems = (
        (parts.scheme not in _SCHEMES, "does not begin with https://, http://, ssh:// or git://"),
        (parts.password is not None, "carries a password; give it to `windlass credentials add` instead"),
        (user is not None and parts.scheme != "ssh", "carries a user name, which only ssh:// may"),
        (user is not None and not _USER.fullmatch(user), "carries a user name that is none"),
        (not host or host.startswith("-") or port == 0, "names no host"),
        (parts.query or parts.fragment or not parts.path.strip("/"), "does not end with the path of a repository"),
        (
            is_this_machine(host) and not loopback_allowed,
            "points at this machine itself; start Windlass with WINDLASS_LOOPBACK_REPOSITORIES=true to allow that",
        ),
    )
    return next((problem for found, problem in problems if found), None)


def ref_problem(ref: str) -> str | None:
    """Return what is wrong with a branch's or tag's name, as the end of a sentence; None where nothing is."""
    if not ref or len(ref) > _LONGEST_REF or _BAD_REF.search(ref):
        return "is not the name of a branch or tag, and no full commit SHA"
    return None


def is_commit(ref: str) -> bool:
    """Return whether the ref is a full SHA-1, which names a commit for ever."""
    return _COMMIT.fullmatch(ref) is not None


def root_problem(root: str) -> str | None:
    """Return what is wrong with a root folder, as the end of a sentence; None where nothing is."""
    path = PurePosixPath(root)
    if not root.isprintable() or path.is_absolute() or ".." in path.parts or ":" in root or root.startswith("-"):
        return "is no folder inside the repository; give it like apps/web"
    return None


def is_this_machine(host: str) -> bool:
    """Return whether the name or address is this machine's own, or one that reaches no further than its link."""
    if host.rstrip(".") == "localhost" or host.rstrip(".").endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_link_local or address.is_unspecified
