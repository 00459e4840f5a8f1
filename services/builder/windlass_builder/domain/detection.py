"""How a source is built and started where its project does not say: found in its files, with the reason."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from windlass_builder.domain.recipes import python_build_command
from windlass_contracts.config import DeploymentConfig
from windlass_contracts.events.deployment import Recipe

TELLING_FILES = frozenset({"Procfile", "requirements.txt", "pyproject.toml"})
"""The files at the root whose text decides; of all others the name is enough."""

_ENTRY_POINTS = ("main.py", "app.py", "server.py", "wsgi.py", "asgi.py")
_WEB_LINE = re.compile(r"^web:[ \t]*(\S.{0,9998})$", re.MULTILINE)
_REQUIRES = r"(?im)^[\s\"']*{}\b"


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies at the root of a source: all names, and the texts of the telling files."""

    names: frozenset[str]
    texts: Mapping[str, str]

    def requires(self, package: str) -> bool:
        """Whether a list of requirements names the package."""
        pattern = re.compile(_REQUIRES.format(re.escape(package)))
        return any(pattern.search(self.texts.get(name, "")) for name in ("requirements.txt", "pyproject.toml"))


class NothingToStartError(Exception):
    """Nothing in the source says how it is started."""

    def __init__(self) -> None:
        super().__init__(
            "Nothing says how this source is started: give a start command, add a Procfile with a line `web: ...`, "
            f"or name the program {', '.join(_ENTRY_POINTS[:3])}."
        )


def detect(config: DeploymentConfig, listing: Listing) -> Recipe:
    """Return how the source is built and started: as configured, and what is not configured as its files tell.

    Raises:
        NothingToStartError: neither the configuration nor the files tell how to start it.
    """
    build = config.build_command or python_build_command(listing.names)
    if config.start_command is not None:
        start, why = config.start_command, "configuration"
    else:
        start, why = _start(listing)
    return Recipe(runner=config.runner or "python", build_command=build, start_command=start, detected_by=why)


def start_command(recipe: Recipe) -> str:
    """Return how a release that we built is started.

    Raises:
        NothingToStartError: only the release itself would know.
    """
    if recipe.start_command is None:
        raise NothingToStartError
    return recipe.start_command


def _start(listing: Listing) -> tuple[str, str]:
    procfile = _WEB_LINE.search(listing.texts.get("Procfile", ""))
    if procfile:
        return procfile[1].strip(), "procfile"
    entry = next((name for name in _ENTRY_POINTS if name in listing.names), None)
    if entry is None:
        raise NothingToStartError
    module = entry.removesuffix(".py")
    if listing.requires("fastapi"):
        return f"exec uvicorn {module}:app --host 0.0.0.0 --port $PORT", "fastapi"
    if listing.requires("gunicorn"):
        return f"exec gunicorn --bind 0.0.0.0:$PORT {module}:app", "gunicorn"
    if listing.requires("flask"):
        return f"exec flask --app {module} run --host 0.0.0.0 --port $PORT", "flask"
    return f"exec python3 {entry}", "entry-point"
