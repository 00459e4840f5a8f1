"""The values that events are made of; each refuses what could not be a subject, a host, a path or a command.

What is refused today may be allowed by a later release; what is allowed stays readable for ever.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from windlass_contracts.privacy import PersonalData

remembered: Callable[[Callable[[str], str]], Callable[[str], str]] = lru_cache(maxsize=1_024)
"""For checks that take long, of texts that come again and again. What is refused is not remembered."""

MAX_NUMBER = 2**53 - 1
"""The largest integer that every reader of JSON keeps exact."""

Count = Annotated[int, Field(ge=0, le=MAX_NUMBER)]
Ordinal = Annotated[int, Field(ge=1, le=MAX_NUMBER)]
Milliseconds = Annotated[int, Field(ge=0, le=MAX_NUMBER)]
Bytes = Annotated[int, Field(ge=0, le=MAX_NUMBER)]
Seconds = Annotated[int, Field(ge=1, le=86_400)]
Port = Annotated[int, Field(ge=1, le=65_535)]
HttpStatus = Annotated[int, Field(ge=100, le=999)]
ExitCode = Annotated[int, Field(ge=-(2**31), le=2**32 - 1)]

Sequence = Annotated[int, Field(ge=0, le=MAX_NUMBER)]
"""A sequence of the stream `EVENTS`; 0 stands before its first event."""

_FIRST_YEAR, _LAST_YEAR = 2020, 2099


def _plausible(time: datetime) -> datetime:
    """Refuse what only a clock that was never set, or runs away, would say; keep all times in UTC."""
    if _FIRST_YEAR - 1 <= time.year <= _LAST_YEAR + 1:  # further away, another zone's time may have no UTC
        time = time.astimezone(UTC)
    if not _FIRST_YEAR <= time.year <= _LAST_YEAR:
        msg = "the clock that gave this time is wrong: it is before 2020 or after 2099"
        raise ValueError(msg)
    return time


Moment = Annotated[AwareDatetime, AfterValidator(_plausible)]
"""A moment in UTC, between 2020 and 2099."""

Token = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=63), PersonalData.NONE]
"""One word of an open vocabulary: readers must bear words that they do not know."""

EventType = Annotated[str, StringConstraints(pattern=r"^[a-z]+(\.[a-z-]+)+\.v[1-9][0-9]*$"), PersonalData.NONE]
"""What happened, and in which version it is told."""

ErrorName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.]*$", max_length=200), PersonalData.NONE]
"""The class of an error, with or without its module."""

CodePlace = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.]*:[1-9][0-9]*$", max_length=200), PersonalData.NONE
]
"""A module and a line in it."""

Sentence = Annotated[str, StringConstraints(min_length=1, max_length=1000), PersonalData.NAMED]
"""A sentence of our own code, which may quote names of things: never the output of an app, a build or a remote host."""

# C0 and C1 controls, line and paragraph separators, and the marks that turn the direction of what is read.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_COMMAND_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def one_line(text: str) -> str:
    """Return the text, if it is something that can be shown in one line; otherwise ValueError."""
    if _CONTROL.search(text) or not text.strip():
        msg = "it is blank, or has control characters, which are not allowed"
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

_MADE_BY_WINDLASS = re.compile(r"(env-|git-).*|[0-9a-f]{8}")


def _no_made_address(name: str) -> str:
    if _MADE_BY_WINDLASS.fullmatch(name):
        msg = "env-..., git-... and eight hexadecimal digits are kept for addresses that Windlass makes"
        raise ValueError(msg)
    return name


EnvironmentName = Annotated[Slug, AfterValidator(_no_made_address)]
"""A slug that no address of a branch, of a deployment or of an environment's id can be mistaken for."""

_HOST_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"


_IP_ADDRESS = re.compile(r"\.(\d+|0x[0-9a-f]*)$")


def _no_ip_address(host: str) -> str:
    if _IP_ADDRESS.search(host):
        msg = "an IP address is no host name"
        raise ValueError(msg)
    return host


HostName = Annotated[
    str,
    StringConstraints(pattern=rf"^{_HOST_LABEL}(\.{_HOST_LABEL})*$", max_length=253),
    AfterValidator(_no_ip_address),
    PersonalData.NAMED,
]
"""A host name in ASCII (RFC 1123) in lower case, without a dot at its end and without wildcards; one label will do."""

DisplayName = Annotated[
    str, StringConstraints(min_length=1, max_length=100), AfterValidator(one_line), PersonalData.NAMED
]

NodeName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,62})$"), PersonalData.NAMED]

VariableName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=200), PersonalData.NAMED
]

CommitSha = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$"), PersonalData.NONE]
Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$"), PersonalData.NONE]
ObjectKey = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]+(-+[a-z0-9]+)*([./][a-z0-9]+(-+[a-z0-9]+)*)*$", max_length=200),
    PersonalData.NONE,
]
"""Where something lies in the object store; no part of it is empty or leads upwards."""


def _no_way_up(reference: str) -> str:
    if ".." in reference or "//" in reference or reference.endswith(("/", ".", ":")):
        msg = "a reference has no empty parts and does not lead upwards"
        raise ValueError(msg)
    return reference


_REFERENCE = StringConstraints(pattern=r"^[a-z0-9][A-Za-z0-9._:/-]{0,254}$")

ReleaseRef = Annotated[str, _REFERENCE, AfterValidator(_no_way_up), PersonalData.NONE]
"""Where a runtime finds a release again: an image's tag, a folder's digest."""

ImageReference = Annotated[str, _REFERENCE, AfterValidator(_no_way_up), PersonalData.NAMED]
"""Registry, repository and tag of a ready image."""

ResourceName = Annotated[str, _REFERENCE, AfterValidator(_no_way_up), PersonalData.NONE]
"""What a node calls something that it keeps: a volume, a network, an image, a folder."""

ContainerName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,127}$"), PersonalData.NONE]
LogSource = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,127}$"), PersonalData.NONE]
"""Who wrote a line of a deployment's log: `build-<attempt>`, or a container's name."""


@remembered
def _canonical_address(text: str) -> str:
    if str(ip_address(text)) != text:
        msg = "an IP address is written in its shortest form"
        raise ValueError(msg)
    return text


Address = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f:.]{2,45}$"),
    AfterValidator(_canonical_address),
    PersonalData.NONE,
]
"""An IP address at which a container answers."""


def _shell_text(command: str) -> str:
    if _COMMAND_CONTROL.search(command) or not command.strip():
        msg = "a command is not blank, and has no control characters but line breaks and tabs"
        raise ValueError(msg)
    return command


Command = Annotated[
    str, StringConstraints(min_length=1, max_length=10_000), AfterValidator(_shell_text), PersonalData.NAMED
]
"""A shell command of the project's own, shown as it is to everybody in the team: secrets belong in variables."""

HttpPath = Annotated[
    str,
    # No second slash at its start: joined to a host, that would name another host.
    StringConstraints(
        pattern=r"^/([A-Za-z0-9._~!$&'()*+,;=:@%?-][A-Za-z0-9._~!$&'()*+,;=:@%?/-]*)?$", max_length=2_000
    ),
    PersonalData.NAMED,
]
"""A path with its query, in the characters that RFC 3986 allows."""

_KEPT_FOLDERS = frozenset(
    ["bin", "boot", "cache", "dev", "etc", "lib", "lib32", "lib64", "proc", "run", "sbin", "sys", "tmp", "usr"]
)


def _mount_path(path: str) -> str:
    parts = path.removeprefix("/").split("/")
    if any(part in {"", ".", ".."} for part in parts):
        msg = "where a volume is mounted is written like /data or /app/uploads"
        raise ValueError(msg)
    if parts[0] in _KEPT_FOLDERS or path == "/app":
        msg = f"{path} belongs to the container itself: a volume is mounted at a folder like /data or /app/uploads"
        raise ValueError(msg)
    return path


MountPath = Annotated[
    str,
    StringConstraints(pattern=r"^/[A-Za-z0-9._/-]+$", max_length=200),
    AfterValidator(_mount_path),
    PersonalData.NAMED,
]
"""Where a volume lies inside a container."""


def _host_and_port(place: str) -> str:
    host, _, port = place.partition(":")
    _no_ip_address(host)
    if port and not 1 <= int(port) <= _LAST_PORT:
        msg = "a port is between 1 and 65535"
        raise ValueError(msg)
    return place


_LAST_PORT = 65_535

HostPort = Annotated[
    str,
    StringConstraints(pattern=rf"^{_HOST_LABEL}(\.{_HOST_LABEL})*(:[1-9][0-9]{{0,4}})?$", max_length=259),
    AfterValidator(_host_and_port),
    PersonalData.NAMED,
]
"""A host name in lower case, with a port where it is not the usual one."""

PublicKey = Annotated[
    str, StringConstraints(pattern=r"^ssh-ed25519 [A-Za-z0-9+/]{68}$", max_length=80), PersonalData.NONE
]
"""The public half of an Ed25519 key as OpenSSH writes it, without a comment."""
