"""The values that events are made of; each refuses what could not be a subject, a host, a path or a command."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints

from windlass_contracts.privacy import PersonalData

Token = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=63), PersonalData.NONE]
"""One word of an open vocabulary: readers must bear words that they do not know."""

Sentence = Annotated[str, StringConstraints(min_length=1, max_length=1000), PersonalData.NONE]
"""A sentence that our own code made: never the output of an app, a build or a remote host."""

Sequence = Annotated[int, Field(ge=0)]
"""A sequence of the stream `EVENTS`; 0 stands before its first event."""

Milliseconds = Annotated[int, Field(ge=0)]
Seconds = Annotated[int, Field(ge=1, le=86_400)]
Bytes = Annotated[int, Field(ge=0)]
Port = Annotated[int, Field(ge=1, le=65_535)]


def _one_line(text: str) -> str:
    if any(character < " " or character == "\x7f" for character in text):
        msg = "control characters are not allowed"
        raise ValueError(msg)
    return text


def _no_dashes_in_a_row(slug: str) -> str:
    if "--" in slug:
        msg = "two dashes in a row are kept for addresses that Windlass makes"
        raise ValueError(msg)
    return slug


_SLUG = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"

Slug = Annotated[
    str,
    StringConstraints(pattern=_SLUG, min_length=1, max_length=40),
    AfterValidator(_no_dashes_in_a_row),
    PersonalData.NAMED,
]
"""The name of a project or environment inside host names: lower case, digits, single dashes."""

HostLabel = Annotated[str, StringConstraints(pattern=_SLUG, max_length=63), PersonalData.NAMED]
"""One label of a host name (RFC 1123)."""

DisplayName = Annotated[
    str, StringConstraints(min_length=1, max_length=100), AfterValidator(_one_line), PersonalData.NAMED
]

NodeName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,62})$"), PersonalData.NAMED]

VariableName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=200), PersonalData.NAMED
]

CommitSha = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$"), PersonalData.NONE]
Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$"), PersonalData.NONE]
ObjectKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9./-]{0,199}$"), PersonalData.NONE]
ReleaseRef = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][A-Za-z0-9._:/-]{0,254}$"), PersonalData.NONE]
"""Where a runtime finds a release again: an image's tag, a folder's digest."""

ContainerName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,127}$"), PersonalData.NONE]
LogSource = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,127}$"), PersonalData.NONE]
"""Who wrote a line of a deployment's log: `build-<attempt>`, or a container's name."""

Address = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F:.]{2,45}$"), PersonalData.NONE]
"""An IP address at which a container answers."""

Command = Annotated[str, StringConstraints(min_length=1, max_length=10_000), PersonalData.NAMED]
"""A shell command of the project's own, shown as it is to everybody in the team: secrets belong in variables."""

HttpPath = Annotated[
    str, StringConstraints(pattern=r"^/", max_length=2_000), AfterValidator(_one_line), PersonalData.NAMED
]

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
    str, StringConstraints(min_length=1, max_length=250), AfterValidator(_one_line), PersonalData.NAMED
]
"""A branch, or a pattern of shell wildcards, whose pushes go to an environment."""

_SCHEMES = frozenset({"https", "http", "ssh", "git", "file"})


def _repository_url(url: str) -> str:
    _one_line(url)
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES or not (parts.netloc or parts.scheme == "file"):
        msg = "a repository's address begins with https://, http://, ssh://, git:// or file://"
        raise ValueError(msg)
    if parts.password is not None or (parts.username is not None and parts.scheme != "ssh"):
        msg = "a repository's address must not carry a user name or password: the log keeps it for ever"
        raise ValueError(msg)
    if parts.query or parts.fragment:
        msg = "a repository's address has neither a query nor a fragment"
        raise ValueError(msg)
    return url


RepositoryUrl = Annotated[
    str, StringConstraints(min_length=8, max_length=2_000), AfterValidator(_repository_url), PersonalData.NAMED
]


def _relative_folder(path: str) -> str:
    _one_line(path)
    if path.startswith(("/", "-")) or "\\" in path or any(part in {"", ".", ".."} for part in path.split("/")):
        msg = "a folder inside the repository is written like services/api, without . or .."
        raise ValueError(msg)
    return path


SourceFolder = Annotated[
    str, StringConstraints(min_length=1, max_length=500), AfterValidator(_relative_folder), PersonalData.NAMED
]
