"""Which installation is meant, and how it is reached."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from windlass.errors import NotConfiguredError

_HOME = ".windlass"
_CLIENT_FILE = "cli.json"


@dataclass(frozen=True, slots=True)
class Connection:
    """Where the API answers, and the token that it knows."""

    url: str
    token: str


def find_connection(environment: Mapping[str, str], folder: Path) -> Connection:
    """Return the installation that is meant.

    The environment wins (WINDLASS_URL, WINDLASS_TOKEN), then the state folder that WINDLASS_HOME names, then that of
    `folder`, then the user's default.

    Raises:
        NotConfiguredError: none is known, or a file about it cannot be read.
    """
    url, token = environment.get("WINDLASS_URL"), environment.get("WINDLASS_TOKEN")
    if url and token:
        return Connection(url.rstrip("/"), token)
    known = _known(environment, folder)
    if known is None and url:
        raise NotConfiguredError("There is no token for the installation.", f"Set WINDLASS_TOKEN as well. {_WHERE}")
    if known is None:
        raise NotConfiguredError(
            "No installation of Windlass is known here.",
            "Start one with `windlass up`, or set WINDLASS_URL and WINDLASS_TOKEN.",
        )
    if url and url.rstrip("/") != known.url and not token:
        # Its token is nobody else's business.
        raise NotConfiguredError(f"There is no token for {url}.", f"Set WINDLASS_TOKEN as well. {_WHERE}")
    return Connection((url or known.url).rstrip("/"), token or known.token)


_WHERE = "`windlass up` writes it to .windlass/cli.json."


def _known(environment: Mapping[str, str], folder: Path) -> Connection | None:
    home = environment.get("WINDLASS_HOME")
    if home:
        return _profile(Path(home) / _CLIENT_FILE)
    return _profile(folder / _HOME / _CLIENT_FILE) or _default(_configuration(environment))


def _configuration(environment: Mapping[str, str]) -> Path:
    base = environment.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")  # noqa: PTH111 - Path.home() raises where there is no home
    return Path(base) / "windlass" / "config.json"


def _profile(path: Path) -> Connection | None:
    document = _read(path)
    return None if document is None else _connection(path, document)


def _default(path: Path) -> Connection | None:
    document = _read(path)
    if document is None:
        return None
    try:
        profile = document["installations"][document["default"]] if "installations" in document else document
    except (KeyError, TypeError) as error:
        raise _damaged(path) from error
    return _connection(path, profile)


def _connection(path: Path, profile: Any) -> Connection:  # noqa: ANN401 - JSON that anybody may have written
    try:
        return Connection(str(profile.get("api_url") or profile["url"]).rstrip("/"), str(profile["token"]))
    except (KeyError, TypeError, AttributeError) as error:
        raise _damaged(path) from error


def _read(path: Path) -> dict[str, Any] | None:
    try:
        document = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise _damaged(path) from error
    if not isinstance(document, dict):
        raise _damaged(path)
    return document


def _damaged(path: Path) -> NotConfiguredError:
    return NotConfiguredError(
        f"{path} cannot be used: it is unreadable or damaged.", "Move it away, then run `windlass up` again."
    )
