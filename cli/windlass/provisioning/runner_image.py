"""The image that Python apps are built and run on, kept beside the engine as an archive for the next empty one."""

import os
from pathlib import Path

from windlass.provisioning.base_image import base_recipe, ensure_base
from windlass.provisioning.docker import Docker, Image
from windlass.provisioning.engine import Engine
from windlass.provisioning.errors import CommandFailedError, ImageError
from windlass.provisioning.exclusive import exclusive
from windlass.provisioning.progress import Progress, step
from windlass.provisioning.recipe import Recipe
from windlass.resources import infra

PYTHON_RUNNER = "windlass/runner-python:3.11"


def ensure_python_runner(engine: Engine, progress: Progress) -> Image:
    """Return the runner image of `engine`: as it is, from the cached archive, or built (a minute), in this order.

    Two installations that ask at the same time do not build it twice.

    Raises:
        ImageError: it could be neither loaded nor built.
    """
    recipe = Recipe.read(infra() / "runners" / "python")
    image = Image(PYTHON_RUNNER, recipe.digest(base_recipe().digest()))
    docker = Docker(engine)
    try:
        if docker.has(image):
            return image
        with exclusive(_cache_folder() / "lock", progress):
            _load_or_build(docker, image, recipe, progress)
    except CommandFailedError as error:
        raise ImageError(f"{PYTHON_RUNNER} could not be made. {error.what}", error.remedy) from error
    return image


def _load_or_build(docker: Docker, image: Image, recipe: Recipe, progress: Progress) -> None:
    archive = _cache_folder() / f"runner-python-{image.inputs[:16]}.tar.zst"
    if not docker.has(image) and archive.exists():
        with step(progress, f"Loading {image.tag} from {archive}"):
            docker.load(archive)
    if docker.has(image):
        return
    base = ensure_base(docker, progress)
    with step(progress, f"Building {image.tag}"):
        docker.build(image, recipe, {"BASE": base.tag}, progress)
    with step(progress, f"Keeping {image.tag} in {archive}"):
        for outdated in archive.parent.glob("runner-python-*.tar.zst"):
            outdated.unlink()
        docker.save([base.tag, image.tag], archive)


def _cache_folder() -> Path:
    """Return the folder of archives (XDG base directories), made if absent."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(cache, "windlass", "images")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
