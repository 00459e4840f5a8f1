"""How a repository would be built and started, and why, in sentences."""

from collections.abc import Mapping
from types import MappingProxyType

from windlass_contracts.events.deployment import Recipe

_REASONS: Mapping[str, str] = MappingProxyType(
    {
        "configuration": "It is what the project's settings say.",
        "procfile": "The Procfile has a line for `web`.",
        "start-script": "package.json has a start script.",
        "package-main": "package.json names a main program.",
        "build-script": "package.json has a build script that makes static pages.",
        "project-script": "pyproject.toml describes a program of the project's own.",
        "entry-point": "A program lies there that looks like the one to start.",
        "application": "The project's settings name its application.",
        "index-html": "There is an index.html.",
        "public-folder": "There is a folder public with an index.html.",
        "image": "It is a ready image.",
        "dockerfile": "The repository has a Dockerfile.",
    }
)
_NAMES = {"fastapi": "FastAPI", "vue-cli": "Vue CLI", "next": "Next.js"}
RUNNERS: Mapping[str, str] = MappingProxyType(
    {"python": "Python", "node": "Node.js", "static": "Static files", "dockerfile": "Dockerfile"}
)


def reason(recipe: Recipe) -> str:
    """Return why it would be started like that."""
    found = recipe.detected_by
    if found is None:
        return "The repository says so itself."
    return _REASONS.get(found) or f"The repository uses {_NAMES.get(found, found.capitalize())}."


def runner_name(runner: str) -> str:
    return RUNNERS.get(runner, runner.capitalize())
