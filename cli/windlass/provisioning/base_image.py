"""The image below all runners: Debian's slim one where a registry answers, else made from Debian's packages."""

import tempfile
from pathlib import Path

from windlass.provisioning.docker import Docker, Image
from windlass.provisioning.errors import CommandFailedError, ImageError, ProgramMissingError
from windlass.provisioning.file_system import make_file_system
from windlass.provisioning.progress import Progress, step
from windlass.provisioning.recipe import Recipe
from windlass.resources import infra

TAG = "windlass/base:bookworm"
DEBIAN = "debian:bookworm-slim"
MADE_HERE = "windlass/debian:bookworm"
LOCAL_AUTHORITIES = Path("/usr/local/share/ca-certificates")


def base_recipe() -> Recipe:
    """Return the base's Dockerfile and the certificate authorities that this machine was told to trust."""
    authorities = {
        f"ca-certificates/{path.relative_to(LOCAL_AUTHORITIES).as_posix()}": path.read_bytes()
        for path in LOCAL_AUTHORITIES.rglob("*.crt")
    }
    # The Dockerfile copies this folder, so that it must be there even with no authority in it.
    marker = {"ca-certificates/README": b"Certificate authorities of the machine that built this image.\n"}
    return Recipe({**Recipe.read(infra() / "images" / "base").files, **marker, **authorities})


def ensure_base(docker: Docker, progress: Progress) -> Image:
    """Return the base image, made now unless the engine has it.

    Raises:
        ImageError: no registry answers, and it cannot be made here either.
    """
    recipe = base_recipe()
    image = Image(TAG, recipe.digest())
    if docker.has(image):
        return image
    source = _debian(docker, progress)
    with step(progress, f"Building {TAG}"):
        docker.build(image, recipe, {"SOURCE": source}, progress)
    if source == MADE_HERE:
        docker.untag(MADE_HERE)
    return image


def _debian(docker: Docker, progress: Progress) -> str:
    if docker.has_tag(DEBIAN):
        return DEBIAN
    with step(progress, f"Pulling {DEBIAN}"):
        try:
            docker.pull(DEBIAN)
        except CommandFailedError as refusal:
            progress.say(f"No registry brings it: {refusal.last_words}")
        else:
            return DEBIAN
    try:
        _make_debian(docker, progress)
    except (CommandFailedError, ProgramMissingError) as error:
        raise ImageError(
            f"{DEBIAN} can be neither pulled nor made here. {error.what}",
            f"Let this machine reach a registry or Debian's packages, or load {DEBIAN} with `docker load`.",
        ) from error
    return MADE_HERE


def _make_debian(docker: Docker, progress: Progress) -> None:
    with tempfile.TemporaryDirectory(prefix="windlass-debian-") as folder:
        archive = make_file_system(Path(folder), progress)
        docker.import_file_system(archive, MADE_HERE)
