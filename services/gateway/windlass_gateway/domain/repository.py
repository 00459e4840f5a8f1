"""Addresses of repositories as people write them, and the names that projects get from them."""

import re
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from windlass_contracts.events.deployment import GitSource
from windlass_contracts.source_values import GitRef, RepositoryUrl
from windlass_contracts.values import CommitSha, Slug
from windlass_gateway.domain.refusals import InvalidInputError

RESERVED_SLUGS = frozenset({"windlass"})
"""Names that no project gets: the dashboard and the API answer there."""

# Without a user the host has a dot: `javascript:x` is no address.
_SCP_LIKE = re.compile(
    r"^(?:(?P<user>[A-Za-z0-9._-]+)@(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*)|(?P<bare>[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+))"
    r":(?P<path>[^/:][^:]*)$"
)
_NOT_IN_SLUGS = re.compile(r"[^a-z0-9]+")
_MAX_SLUG = 40

_URL: TypeAdapter[str] = TypeAdapter(RepositoryUrl)
_SLUG: TypeAdapter[str] = TypeAdapter(Slug)
_SHA: TypeAdapter[str] = TypeAdapter(CommitSha)
_REF: TypeAdapter[str] = TypeAdapter(GitRef)


def repository_url(written: str, field: str = "git") -> str:
    """Return the repository's URL; Git's short form `git@host:owner/repo` becomes `ssh://git@host/owner/repo`.

    Raises:
        InvalidInputError: it is no address, or carries a password.
    """
    text = written.strip()
    short = _SCP_LIKE.match(text)
    if short and "://" not in text:
        text = f"ssh://{short['user'] or 'git'}@{short['host'] or short['bare']}/{short['path']}"
    try:
        return _URL.validate_python(text)
    except ValidationError as error:
        raise _refused(text, error.errors()[0]["msg"].removeprefix("Value error, "), field) from error


def git_source(address: str, ref: str | None = None) -> GitSource:
    """Return what an address and a ref as people write them mean: a whole commit id is a commit, all else a ref.

    Raises:
        InvalidInputError: the address or the ref is none.
    """
    url = repository_url(address)
    if ref is None:
        return GitSource(repository=url)
    if _is_commit(ref):
        return GitSource(repository=url, commit=ref)
    try:
        return GitSource(repository=url, ref=_REF.validate_python(ref))
    except ValidationError as error:
        raise InvalidInputError(
            "This is not a name that Git allows for a branch or tag.",
            field="ref",
            next_step="Give a branch, a tag, or a whole commit id.",
        ) from error


def _is_commit(written: str) -> bool:
    try:
        _SHA.validate_python(written)
    except ValidationError:
        return False
    return True


def place(url: str) -> tuple[str, str]:
    """Return host and path of a repository: the same by https and by ssh."""
    parts = urlsplit(url)
    return (parts.hostname or "", parts.path.strip("/").removesuffix(".git"))


_OTHER_NAMES = {"ssh.github.com": "github.com", "www.github.com": "github.com"}


def place_key(url: str) -> str:
    """Return what all addresses of a repository have in common, to be found by: GitHub ignores case, and so does it."""
    host, path = place(url)
    return f"{_OTHER_NAMES.get(host, host)}/{path}".lower()


def _refused(text: str, why: str, field: str) -> InvalidInputError:
    if text.startswith(("/", ".", "~")):
        next_step = f"A folder on the machine that builds is written as file://{text.lstrip('.~') or '/path'}."
    else:
        next_step = "Write it like https://github.com/owner/repository or git@github.com:owner/repository."
    return InvalidInputError(f"This is no address of a repository: {why}.", field=field, next_step=next_step)


def slug_from_repository(url: str) -> str:
    """Return the name for a project that a repository suggests: the last part of its path, made valid.

    Raises:
        InvalidInputError: nothing of it can be used.
    """
    last = urlsplit(url).path.rstrip("/").rsplit("/", 1)[-1].removesuffix(".git")
    slug = _NOT_IN_SLUGS.sub("-", last.lower()).strip("-")[:_MAX_SLUG].strip("-")
    if not slug:
        raise InvalidInputError(
            "The repository's address suggests no name for the project.",
            field="project",
            next_step="Name the project yourself (--project): lower-case letters, digits, single dashes.",
        )
    return checked_slug(slug)


def checked_slug(slug: str, field: str = "project") -> str:
    """Return the name if a project may have it.

    Raises:
        InvalidInputError: it is reserved, or no name.
    """
    if slug in RESERVED_SLUGS:
        raise InvalidInputError(
            f"The name {slug} is kept for Windlass itself.",
            field=field,
            next_step="Name the project otherwise (--project).",
        )
    try:
        return _SLUG.validate_python(slug)
    except ValidationError as error:
        raise InvalidInputError(
            "A name has 1 to 40 lower-case letters, digits and single dashes, and no dash at either end.",
            field=field,
            next_step="Choose a name like my-app.",
        ) from error
