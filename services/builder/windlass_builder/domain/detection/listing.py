"""What detection looks at: the names of a source's files, and the texts of a few."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

_MANIFESTS = frozenset({"Procfile", "requirements.txt", "pyproject.toml", "package.json", "yarn.lock"})
_LOCKS = frozenset({"package-lock.json", "npm-shrinkwrap.json"})
MOST_TEXT = 256 * 1024
"""So many bytes are read of each of them."""
PYTHON_PROGRAMS = ("main.py", "app.py", "server.py", "wsgi.py", "asgi.py")

TELLING_FILES = _MANIFESTS | _LOCKS | frozenset(PYTHON_PROGRAMS) | {"app/main.py", "app/__init__.py"}
"""The files whose text decides; of all others the name is enough."""

# The time that tomllib takes for one dotted key grows with the square of its parts; none has more than a few.
TOML_DOTS = 60


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies at the root of a source and one folder below (`public/index.html`).

    `texts` holds those of the telling files, `digests` the SHA-256 of the lock files at the root.
    """

    names: frozenset[str]
    texts: Mapping[str, str]
    digests: Mapping[str, str] = field(default_factory=dict)

    def json(self, name: str) -> Mapping[str, Any]:
        """Return the object in a file of JSON; an empty one where there is none that can be read."""
        return _json(self.texts.get(name, ""))

    def toml(self, name: str) -> Mapping[str, Any]:
        """Return the tables in a file of TOML; none where it cannot be read."""
        return _toml(self.texts.get(name, ""))


@lru_cache(maxsize=4)
def _json(text: str) -> Mapping[str, Any]:
    try:
        return table(json.loads(text.removeprefix("\ufeff")))
    except (ValueError, RecursionError):
        return {}


@lru_cache(maxsize=4)
def _toml(text: str) -> Mapping[str, Any]:
    if any(line.count(".") > TOML_DOTS for line in text.splitlines()):
        return {}
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return {}


def table(value: object) -> Mapping[str, Any]:
    """Return a mapping as it is; whatever else stands in its place says nothing."""
    return value if isinstance(value, dict) else {}


def strings(value: object) -> list[str]:
    """Return the strings in a list; whatever else stands in its place, or among them, says nothing."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
