"""What an engine says of an image that it could not fetch, by kind."""

import re
from enum import StrEnum


class PullProblem(StrEnum):
    NOT_FOUND = "image-not-found"
    LOGIN_NEEDED = "registry-login-needed"
    MISMATCH = "image-digest-mismatch"
    UNREACHABLE = "registry-unreachable"


_SAID = (
    (
        PullProblem.MISMATCH,
        re.compile(r"verification failed|digest.*(?:mismatch|does not match)|mediatype", re.IGNORECASE),
    ),
    (
        PullProblem.LOGIN_NEEDED,
        re.compile(r"unauthorized|authentication required|denied|no basic auth|login", re.IGNORECASE),
    ),
    (
        PullProblem.NOT_FOUND,
        re.compile(r"not found|manifest unknown|name unknown|does not exist|invalid", re.IGNORECASE),
    ),
)


def pull_problem(said: str) -> PullProblem:
    """Return the kind; whatever is none of the others is the registry's absence."""
    return next((problem for problem, words in _SAID if words.search(said)), PullProblem.UNREACHABLE)


def registry_of(reference: str) -> str:
    """Return the host of the registry as credentials name it: Docker Hub's where the reference names none."""
    first, slash, _ = reference.partition("/")
    named = bool(slash) and ("." in first or ":" in first or first == "localhost")
    return first if named else "docker.io"


def repository_of(reference: str) -> str:
    """Return the reference without tag and digest."""
    name = reference.partition("@")[0]
    host, slash, path = name.rpartition("/")
    return f"{host}{slash}{path.partition(':')[0]}"


def runs_as_root(user: str) -> bool:
    """Return whether an image's USER is root, by name or number."""
    return user.partition(":")[0] in {"", "root", "0"}
