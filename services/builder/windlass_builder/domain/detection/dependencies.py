"""Which files alone decide what a source has installed, and the command that installs it from them.

Only where detection found the build command itself, and only where nothing else of the source takes part: whatever
points at the source's own files is installed together with them, in one step.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from windlass_builder.domain.detection import node
from windlass_builder.domain.detection.listing import Listing, table
from windlass_builder.domain.detection.recipes import PYPROJECT, REQUIREMENTS, UV_LOCK

LOCK_FILES = frozenset(
    {
        *("requirements.txt", "pyproject.toml", "uv.lock", "uv.toml", ".python-version"),
        *("package.json", "package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock"),
        *(".npmrc", ".yarnrc", ".yarnrc.yml", ".nvmrc"),
    }
)
"""The files that may decide; of each the digest is known."""

_PYTHON_FILES = ("requirements.txt", "pyproject.toml", "uv.lock", "uv.toml", ".python-version")
_NODE_FILES = tuple(sorted(LOCK_FILES.difference(_PYTHON_FILES)))
_INSTALLED = frozenset({".venv", "node_modules"})
# uv installs the project itself in a second step, which finds all else installed.
_UV = {UV_LOCK: f"{UV_LOCK} --no-install-project", PYPROJECT: f"{PYPROJECT} --no-install-project"}
# A name with what belongs to it, a hash, a comment, an index: not a file, a folder, or an option that names one.
_PLAIN_REQUIREMENT = re.compile(
    r"[ \t]*+(?!\S*\.(?:whl|zip|tar|tgz|gz|bz2)\b)"
    r"(?:$|#|\\$|--hash=|--(?:extra-)?index-url[ =]https?://|--no-binary|--only-binary|--pre\b"
    r"|[A-Za-z0-9][A-Za-z0-9._-]*+[ \t]*+(?:\[[^\]]*+\])?+[ \t]*+(?:[<>=!~;\\#]|$|@[ \t]*+https://))"
)
_RUN_AT_INSTALLATION = ("preinstall", "install", "postinstall", "prepare", "prepublish", "preprepare", "postprepare")
_LOCAL_PACKAGE = re.compile(r"^(?:file|link|portal|patch|workspace):|^[./~]")
_DEPENDENCIES = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies", "overrides")


@dataclass(frozen=True, slots=True)
class Dependencies:
    """`install` is run where only the `files` (name and SHA-256) are; `rest` afterwards, with the whole source."""

    install: str
    files: Mapping[str, str]
    rest: str | None


def dependencies(command: str | None, listing: Listing) -> Dependencies | None:
    """Return how a detected build command is split; None where it has to stay one step."""
    if command is None or not _INSTALLED.isdisjoint(listing.names):
        return None
    if command == REQUIREMENTS:
        return _split(REQUIREMENTS, None, _PYTHON_FILES, listing) if _plain_requirements(listing) else None
    if command in _UV:
        rest = command if _is_installed_itself(listing) else None
        return _split(_UV[command], rest, _PYTHON_FILES, listing) if _plain_project(listing) else None
    if node.is_project(listing) and _plain_package(listing):
        install, _, script = command.partition(" && ")
        return _split(install, script or None, _NODE_FILES, listing)
    return None


def _split(install: str, rest: str | None, names: tuple[str, ...], listing: Listing) -> Dependencies | None:
    present = [name for name in names if name in listing.names]
    if not listing.digests.keys() >= set(present):  # a link, or a folder of that name
        return None
    return Dependencies(install, {name: listing.digests[name] for name in present}, rest)


def _plain_requirements(listing: Listing) -> bool:
    lines = listing.texts.get("requirements.txt", "").splitlines()
    return all(_PLAIN_REQUIREMENT.match(line) for line in lines)


def _plain_project(listing: Listing) -> bool:
    described = listing.toml("pyproject.toml")
    project, uv = table(described.get("project")), table(table(described.get("tool")).get("uv"))
    dynamic = project.get("dynamic")
    of_itself = isinstance(dynamic, list) and "dependencies" in dynamic
    return bool(project) and not of_itself and not uv.get("sources") and not uv.get("workspace")


def _is_installed_itself(listing: Listing) -> bool:
    """Return whether uv installs the project beside what it needs."""
    described = listing.toml("pyproject.toml")
    package = table(table(described.get("tool")).get("uv")).get("package")
    return package is True or (package is not False and "build-system" in described)


def _plain_package(listing: Listing) -> bool:
    manifest = listing.json(node.MANIFEST)
    if not _no_workspace(listing) or any(name in table(manifest.get("scripts")) for name in _RUN_AT_INSTALLATION):
        return False
    asked = [value for key in _DEPENDENCIES for value in table(manifest.get(key)).values()]
    return not any(isinstance(value, str) and _LOCAL_PACKAGE.match(value) for value in asked)


def _no_workspace(listing: Listing) -> bool:
    manifest = listing.json(node.MANIFEST)
    of_more = {".yarn", "pnpm-workspace.yaml", "patches", ".pnpmfile.cjs", "binding.gyp"}
    patched = table(manifest.get("pnpm")).get("patchedDependencies")
    return bool(manifest) and not patched and not manifest.get("workspaces") and of_more.isdisjoint(listing.names)
