"""Submodules: which repository and commit stands at which path of a tree. Nothing of them is configured or run."""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from windlass_builder.adapters.git.mirror import Mirror
from windlass_builder.adapters.git.wanted import Wanted

DEEPEST = 5
"""A submodule's submodules, and so on."""
MOST = 100
"""Of one commit, all depths together."""

_LINK = "160000 commit "


@dataclass(frozen=True, slots=True)
class Submodule:
    """Where another repository's commit stands."""

    path: str
    url: str
    commit: str


def read_submodules(parent: str, configuration: str, tree: str) -> Iterator[Submodule]:
    """Yield the submodules of a tree; a link without an address in `.gitmodules` stays an empty folder.

    `configuration` is what `git config --null --list` says of `.gitmodules`, `tree` what `git ls-tree -r -z` does.
    """
    urls = _urls(configuration)
    for entry in tree.split("\0"):
        about, _, path = entry.partition("\t")
        if about.startswith(_LINK) and path in urls:
            yield Submodule(path, absolute(parent, urls[path]), about.removeprefix(_LINK).strip())


async def submodules_of(mirror: Mirror, wanted: Wanted) -> list[Wanted]:
    """Return the submodules of a commit, those below its root and the one that the root is in."""
    found = read_submodules(wanted.url, *await mirror.submodules(wanted.commit))
    return [below for one in found if (below := _placed(one, wanted)) is not None]


def _placed(one: Submodule, wanted: Wanted) -> Wanted | None:
    """Return what is written of a submodule; None where it is beside the root."""
    depth, root = wanted.depth + 1, wanted.root
    if root and (root == one.path or root.startswith(f"{one.path}/")):
        rest = root.removeprefix(one.path).strip("/")
        return Wanted(one.url, one.commit, wanted.prefix, rest, one.path, depth, holds_root=True)
    if root and not one.path.startswith(f"{root}/"):
        return None
    inside = one.path.removeprefix(f"{root}/") if root else one.path
    return Wanted(one.url, one.commit, f"{wanted.prefix}/{inside}".strip("/"), "", one.path, depth)


def absolute(parent: str, url: str) -> str:
    """Return a submodule's address; a relative one is beside the repository that it belongs to."""
    if not url.startswith(("./", "../")):
        return url
    parts = urlsplit(parent)
    path = posixpath.normpath(posixpath.join(parts.path, url))
    return parts._replace(path=path).geturl()


def _urls(configuration: str) -> dict[str, str]:
    """Return addresses by paths; Git's short form `git@host:path` becomes a URL."""
    paths: dict[str, str] = {}
    urls: dict[str, str] = {}
    for entry in configuration.split("\0"):
        key, _, value = entry.partition("\n")
        if not key.startswith("submodule."):
            continue
        name, _, field = key.removeprefix("submodule.").rpartition(".")
        if field == "path":
            paths[name] = value
        elif field == "url":
            urls[name] = _from_short(value)
    return {path: urls[name] for name, path in paths.items() if name in urls}


def _from_short(url: str) -> str:
    host, colon, path = url.partition(":")
    if "://" in url or not colon or "/" in host or url.startswith((".", "/", "-")):
        return url
    return f"ssh://{host}/{path.lstrip('/')}"
