"""How a source is built and started where its project does not say: found in its files, with the reason.

Nothing of the source is run for that, and its texts are hostile: what cannot be read says nothing.
"""

import re
from collections.abc import Callable, Mapping

from windlass_builder.domain.detection import node, python, static
from windlass_builder.domain.detection.dependencies import LOCK_FILES, Dependencies, dependencies
from windlass_builder.domain.detection.errors import BrokenManifestError, NothingToStartError
from windlass_builder.domain.detection.listing import MOST_TEXT, TELLING_FILES, Listing
from windlass_builder.domain.detection.manifests import PACKAGE, PROJECT, check_json, check_manifests, check_toml
from windlass_builder.domain.detection.start import Start
from windlass_contracts.config import DeploymentConfig
from windlass_contracts.events.deployment import Recipe

__all__ = [
    "DOCKERFILE",
    "IMAGE",
    "LOCK_FILES",
    "MOST_TEXT",
    "TELLING_FILES",
    "BrokenManifestError",
    "Dependencies",
    "Listing",
    "NothingToStartError",
    "dependencies",
    "detect",
    "start_command",
]

DOCKERFILE = "dockerfile"
"""The runner of a source that describes its image itself."""
IMAGE = "image"
"""The runner of a ready image."""

_WEB_LINE = re.compile(r"^web:[ \t]*((?!\s)[^\x00-\x20\x7f][^\x00-\x08\x0a-\x1f\x7f]{0,9998})$", re.MULTILINE)
_NODE_WORDS = re.compile(r"(?:^|[\s;&|(/])(?:node|npm|npx|pnpm|yarn|next)(?:\s|$)")

_Finder = Callable[[Listing], Start | None]
_STARTS: Mapping[str, _Finder] = {"python": python.start, "node": node.start, "static": static.start}
# A program that a project describes goes before one that merely lies there, and both go before its pages.
_ORDER: tuple[tuple[str, _Finder], ...] = (
    ("python", python.project_start),
    ("node", node.start),
    ("python", python.start),
    ("static", static.start),
)
_BUILDS: Mapping[str, Callable[[Listing], str | None]] = {"python": python.build_command, "node": node.build_command}


def detect(config: DeploymentConfig, listing: Listing, *, images: bool = True) -> Recipe:
    """Return how the source is built and started: as configured, and what is not configured as its files tell.

    A Dockerfile at the root says it all, unless a runner or a build command is configured; not where the node builds no
    `images`.

    Raises:
        NothingToStartError: neither the configuration nor the files tell how to start it.
        BrokenManifestError: a file that tells, or that a detected build command reads, is broken.
    """
    if config.runner == DOCKERFILE or (images and _describes_image(config, listing)):
        why = "dockerfile" if config.runner is None else "configuration"
        return Recipe(runner=DOCKERFILE, start_command=config.start_command, detected_by=why)
    runner, start = _given(config, listing) or _found(config.runner, listing)
    build = config.build_command
    if build is None and start.builds and runner in _BUILDS:
        build = _BUILDS[runner](listing)
        check_manifests(build, runner, listing)
    return Recipe(runner=runner, build_command=build, start_command=start.command, detected_by=start.why)


def _describes_image(config: DeploymentConfig, listing: Listing) -> bool:
    if config.runner is not None or config.build_command is not None:
        return False
    return config.dockerfile is not None or "Dockerfile" in listing.names


def start_command(recipe: Recipe) -> str | None:
    """Return how a release is started; None where its image says so.

    Raises:
        NothingToStartError: only the release itself would know.
    """
    if recipe.start_command is None and recipe.runner not in {DOCKERFILE, IMAGE}:
        raise NothingToStartError
    return recipe.start_command


def _given(config: DeploymentConfig, listing: Listing) -> tuple[str, Start] | None:
    """Return what was said in so many words: by the configuration, or else by the Procfile."""
    if config.start_command is not None:
        start = Start(config.start_command, "configuration")
    elif procfile := _WEB_LINE.search(listing.texts.get("Procfile", "").replace("\r\n", "\n")):
        start = Start(procfile[1].strip(), "procfile")
    else:
        return None
    return config.runner or _runner_for(start.command, listing), start


def _found(runner: str | None, listing: Listing) -> tuple[str, Start]:
    """Return what the files tell, those of the wanted runner alone where one is wanted."""
    order = _ORDER if runner is None else ((runner, _STARTS[runner]),) if runner in _STARTS else ()
    for name, find in order:
        if start := find(listing):
            return name, start
    if runner in {None, "node"}:
        check_json(PACKAGE, listing)
    if runner in {None, "python"}:
        check_toml(PROJECT, listing)
    raise NothingToStartError(runner)


def _runner_for(command: str, listing: Listing) -> str:
    """Return the runner of a command that was given without one: by the project's files, or by the command's words."""
    if static.serves(command):
        return "node" if node.is_project(listing) else "static"
    described = [name for name, project in (("python", python), ("node", node)) if project.is_project(listing)]
    if len(described) == 1:
        return described[0]
    return "node" if _NODE_WORDS.search(command) else "python"
