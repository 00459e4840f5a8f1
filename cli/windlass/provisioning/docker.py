"""The few things asked of Docker here, by its own command: it knows contexts, TLS and build contexts already.

Only images of our own are built this way, on the host's network; what users build never is.
"""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import zstandard

from windlass.provisioning.commands import output_of, run
from windlass.provisioning.engine import Engine
from windlass.provisioning.progress import Progress
from windlass.provisioning.recipe import Recipe

INPUTS_LABEL = "dev.windlass.inputs"
PULL_SECONDS = 120
ARCHIVE_SECONDS = 300
PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


@dataclass(frozen=True)
class Image:
    """An image by its tag, and the digest of everything it was made from."""

    tag: str
    inputs: str


class Docker:
    """Images of one engine. Every method raises CommandFailedError when the engine refuses."""

    def __init__(self, engine: Engine) -> None:
        # The classic builder is in every engine; BuildKit needs a plugin that Debian does not bring.
        self._environment = {"DOCKER_HOST": engine.url, "DOCKER_BUILDKIT": "0"}

    def has(self, image: Image) -> bool:
        """Say whether the image is there and was made from exactly these inputs."""
        filters = ["--filter", f"reference={image.tag}", "--filter", f"label={INPUTS_LABEL}={image.inputs}"]
        return bool(self._output(["image", "ls", "--quiet", *filters]))

    def has_tag(self, tag: str) -> bool:
        return bool(self._output(["image", "ls", "--quiet", tag]))

    def pull(self, tag: str) -> None:
        self._output(["pull", "--quiet", tag], PULL_SECONDS)

    def import_file_system(self, archive: Path, tag: str) -> None:
        self._output(["import", str(archive), tag], ARCHIVE_SECONDS)

    def untag(self, tag: str) -> None:
        self._output(["image", "rm", tag])

    def build(self, image: Image, recipe: Recipe, arguments: Mapping[str, str], progress: Progress) -> None:
        """Build `recipe` and tag it; the context is sent from memory, so what was digested is what is built."""
        given = [f"{name}={value}" for name, value in arguments.items()]
        passed_on = [name for name in PROXIES if name in os.environ]
        options = [word for argument in (*given, *passed_on) for word in ("--build-arg", argument)]
        labels = ["--label", f"{INPUTS_LABEL}={image.inputs}"]
        with tempfile.TemporaryFile() as context:
            context.write(recipe.context())
            context.seek(0)
            command = ["docker", "build", "--network", "host", *options, *labels, "--tag", image.tag, "-"]
            run(command, progress, stdin=context, add=self._environment)

    def save(self, tags: list[str], archive: Path) -> None:
        """Write the images as one zstd archive, complete or not at all."""
        with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
            plain, packed = Path(folder, "images.tar"), Path(folder, "images.tar.zst")
            self._output(["save", "--output", str(plain), *tags], ARCHIVE_SECONDS)
            with plain.open("rb") as source, packed.open("wb") as target:
                zstandard.ZstdCompressor(level=3, threads=-1).copy_stream(source, target)
            packed.replace(archive)

    def load(self, archive: Path) -> None:
        with tempfile.NamedTemporaryFile(dir=archive.parent) as plain:
            with archive.open("rb") as source:
                zstandard.ZstdDecompressor().copy_stream(source, plain)
            plain.flush()
            self._output(["load", "--quiet", "--input", plain.name], ARCHIVE_SECONDS)

    def _output(self, arguments: list[str], seconds: float = 60) -> str:
        return output_of(["docker", *arguments], seconds=seconds, add=self._environment)
