"""The images that apps are built and run on, each kept beside the engine as an archive for the next empty one."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from windlass.provisioning.base_image import base_recipe, ensure_base
from windlass.provisioning.docker import Docker, Image
from windlass.provisioning.engine import Engine
from windlass.provisioning.errors import CommandFailedError, ImageError
from windlass.provisioning.exclusive import exclusive
from windlass.provisioning.progress import Progress, step
from windlass.provisioning.recipe import Recipe
from windlass.resources import infra


@dataclass(frozen=True, slots=True)
class RunnerImage:
    """A runner by its image's tag, and the folders of `infra/runners` whose files its recipe uses beside its own."""

    name: str
    tag: str
    uses: tuple[str, ...] = ()

    @property
    def recipe(self) -> Recipe:
        own = dict(Recipe.read(infra() / "runners" / self.name).files)
        for other in self.uses:
            files = Recipe.read(infra() / "runners" / other).files
            own |= {f"{other}/{path}": content for path, content in files.items() if path != "Dockerfile"}
        return Recipe(own)


PYTHON = RunnerImage("python", "windlass/runner-python:3.11")
NODE = RunnerImage("node", "windlass/runner-node:22", uses=("static",))
STATIC = RunnerImage("static", "windlass/runner-static:1")
RUNNERS: Mapping[str, RunnerImage] = {runner.name: runner for runner in (PYTHON, NODE, STATIC)}


def ensure_runner(runner: RunnerImage, engine: Engine, progress: Progress) -> Image:
    """Return the image of `engine`: as it is, from the cached archive, or built (a minute at most), in this order.

    Two installations that ask at the same time do not build it twice.

    Raises:
        ImageError: it could be neither loaded nor built.
    """
    recipe = runner.recipe
    image = Image(runner.tag, recipe.digest(base_recipe().digest()))
    docker = Docker(engine)
    try:
        if docker.has(image):
            return image
        with exclusive(_cache_folder() / "lock", progress):
            _load_or_build(docker, image, (runner.name, recipe), progress)
    except CommandFailedError as error:
        raise ImageError(f"{runner.tag} could not be made. {error.what}", error.remedy) from error
    return image


def _load_or_build(docker: Docker, image: Image, made_of: tuple[str, Recipe], progress: Progress) -> None:
    name, recipe = made_of
    archive = _cache_folder() / f"runner-{name}-{image.inputs[:16]}.tar.zst"
    if not docker.has(image) and archive.exists():
        with step(progress, f"Loading {image.tag} from {archive}"):
            docker.load(archive)
    if docker.has(image):
        return
    base = ensure_base(docker, progress)
    with step(progress, f"Building {image.tag}"):
        docker.build(image, recipe, {"BASE": base.tag}, progress)
    with step(progress, f"Keeping {image.tag} in {archive}"):
        for outdated in archive.parent.glob(f"runner-{name}-*.tar.zst"):
            outdated.unlink()
        docker.save([base.tag, image.tag], archive)


def _cache_folder() -> Path:
    """Return the folder of archives (XDG base directories), made if absent."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(cache, "windlass", "images")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
