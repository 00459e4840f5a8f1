"""Values that name sources: repositories, their branches, and what lies in them."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, StringConstraints

from windlass_contracts.privacy import PersonalData
from windlass_contracts.values import one_line, remembered

_REF_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|^\.|^/|^-|/$|\.$|\.lock($|/)")


def _git_ref(ref: str) -> str:
    """Hold to the rules of `git check-ref-format`, and refuse a leading dash, which git would take for an option."""
    if ref == "@" or _REF_FORBIDDEN.search(ref):
        msg = "this is not a name that Git allows for a branch or tag"
        raise ValueError(msg)
    return ref


GitRef = Annotated[str, StringConstraints(min_length=1, max_length=250), AfterValidator(_git_ref), PersonalData.NAMED]
"""A branch, tag or full ref."""

BranchPattern = Annotated[
    str, StringConstraints(min_length=1, max_length=250), AfterValidator(one_line), PersonalData.NAMED
]
"""A branch, or a pattern of shell wildcards, whose pushes go to an environment."""

_SCHEME = re.compile(r"(https?|ssh|git|file)://")
_URL_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/\[\]@!$&'()*+,;=%-]*")


@remembered
def _repository_url(url: str) -> str:
    if not _SCHEME.match(url):
        msg = "a repository's address begins with https://, http://, ssh://, git:// or file://"
        raise ValueError(msg)
    parts = urlsplit(url)
    if parts.query or parts.fragment or url.endswith(("?", "#")):
        msg = "a repository's address has neither a query nor a fragment"
        raise ValueError(msg)
    if not _URL_CHARACTERS.fullmatch(url):
        msg = "a repository's address has only the characters of a URL; others are written like %20"
        raise ValueError(msg)
    if parts.password is not None or (parts.username is not None and parts.scheme != "ssh"):
        msg = "a repository's address must not carry a user name or password: the log keeps it for ever"
        raise ValueError(msg)
    _check_place(parts.scheme, parts.hostname or "", parts.username or "")
    _ = parts.port  # raises ValueError where it is none
    return url


def _check_place(scheme: str, host: str, user: str) -> None:
    if scheme != "file" and not host:
        msg = "a repository's address names a host"
        raise ValueError(msg)
    if host.startswith("-") or user.startswith("-"):
        msg = "neither host nor user of a repository's address begins with a dash: ssh would take it for an option"
        raise ValueError(msg)


RepositoryUrl = Annotated[
    str, StringConstraints(min_length=8, max_length=2_000), AfterValidator(_repository_url), PersonalData.NAMED
]


def _relative_folder(path: str) -> str:
    one_line(path)
    if path.startswith(("/", "-", ":")) or "\\" in path or any(_bad_name(part) for part in path.split("/")):
        msg = "a folder inside the repository is written like services/api, without . or .. or .git"
        raise ValueError(msg)
    return path


def _bad_name(part: str) -> bool:
    return part in {"", ".", ".."} or part.lower() == ".git"


SourceFolder = Annotated[
    str, StringConstraints(min_length=1, max_length=500), AfterValidator(_relative_folder), PersonalData.NAMED
]

SourceFile = SourceFolder
"""A file inside the repository, written like docker/web.Dockerfile."""


def _path_pattern(pattern: str) -> str:
    one_line(pattern)
    if pattern.startswith(("/", "!", "#")) or "\\" in pattern or ".." in pattern.split("/"):
        msg = "a pattern of paths is written like services/api/** or *.md, from the top of the repository"
        raise ValueError(msg)
    return pattern


PathPattern = Annotated[
    str, StringConstraints(min_length=1, max_length=500), AfterValidator(_path_pattern), PersonalData.NAMED
]
"""Paths of a repository, in the patterns of a .gitignore file without its exceptions."""
