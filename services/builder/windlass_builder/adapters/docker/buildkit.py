"""A source's own Dockerfile, built by BuildKit through the buildx program.

The build sees the source's folder and the secrets that its steps name. It has the engine's default network: BuildKit
refuses the host's, and all rights of the host, to whoever did not allow them, and nobody does here. What the engine
itself would fetch is refused: by the Dockerfile's words, and, where the engine's BuildKit has policies for sources
(from 0.11 on), by one that sees what base images add as well.
"""

import asyncio
import base64
import json
import os
import shutil
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event

from windlass_builder.adapters.docker.build_group import BuildGroup
from windlass_builder.adapters.docker.disk_guard import first_of, until_fallen
from windlass_builder.adapters.output import LineAssembler
from windlass_builder.adapters.tar import unpack
from windlass_builder.application.runtime import OutputSink
from windlass_builder.application.runtime_errors import (
    BuildOutOfDiskError,
    BuildTimedOutError,
    DockerfileError,
    ImagesUnsupportedError,
)
from windlass_builder.domain.dockerfile_rules import refusal
from windlass_builder.domain.dockerfiles import failure_of
from windlass_builder.domain.flood import Flood
from windlass_builder.domain.workloads import DockerfileSpec, Login, OutputStream

# Where Docker's own command looks for its plugins.
_FOLDERS = ("/usr/local/lib/docker/cli-plugins", "/usr/libexec/docker/cli-plugins", "/usr/lib/docker/cli-plugins")
_NO_BUILDX = (
    "This node has no buildx, which builds Dockerfiles: run `windlass up` as root once, which installs it, "
    "or install the package docker-buildx (docker-buildx-plugin)."
)
_LAST_LINES = 60
_CHUNK = 64 * 1024
_LONGEST_DOCKERFILE = 2**20
_POLICY = "sources.json"
# https://github.com/moby/buildkit/blob/master/docs/build-repro.md, and buildx's EXPERIMENTAL_BUILDKIT_SOURCE_POLICY.
_NOTHING_BY_ADDRESS = {
    "rules": [
        {"action": "DENY", "selector": {"identifier": f"{scheme}://*", "match_type": "WILDCARD"}}
        for scheme in ("http", "https", "git")
    ]
}
_DOCKER_HUB = "https://index.docker.io/v1/"


class BuildKit:
    """Builds on the engine at `url`, or on the one that the environment names; the `group` bounds all steps."""

    def __init__(self, url: str | None, group: BuildGroup | None = None) -> None:
        self._url = url
        self._group = group

    async def build(
        self, spec: DockerfileSpec, source: Path, output: OutputSink, reference: str, marks: Mapping[str, str]
    ) -> None:
        """Make the image `reference` with these labels; nothing of the build goes on when this is left.

        Raises: BuildError, ImagesUnsupportedError where there is no buildx.
        """
        program = _buildx()
        with tempfile.TemporaryDirectory(dir=source.parent) as folder, ExitStack() as given:
            context, settings = Path(folder, "context"), Path(folder, "docker")
            await _unpacked(source, context)
            _write_logins(settings, spec.logins)
            (settings / _POLICY).write_text(json.dumps(_NOTHING_BY_ADDRESS))
            dockerfile = _dockerfile(context, spec.dockerfile)
            if self._group is not None:
                self._group.hold_back()
            secrets = {name: given.enter_context(_sealed(value)) for name, value in spec.secrets.items()}
            options = [
                *(f"--label={name}={value}" for name, value in marks.items()),
                *(f"--secret=id={name},src=/proc/self/fd/{number}" for name, number in secrets.items()),
            ]
            command = [program, "build", "--builder=default", "--load", "--progress=plain", "--network=default"]
            process = await asyncio.create_subprocess_exec(
                *command,
                f"--file={context / spec.dockerfile}",
                f"--tag={reference}",
                *options,
                str(context),
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=STDOUT,
                env=self._environment(settings),
                pass_fds=tuple(secrets.values()),
            )
            await _watched(process, spec, output, dockerfile)

    def _environment(self, settings: Path) -> dict[str, str]:
        said = {name: os.environ[name] for name in ("DOCKER_HOST", "DOCKER_CERT_PATH") if name in os.environ}
        there = {} if self._url is None else {"DOCKER_HOST": self._url}
        policy = {"EXPERIMENTAL_BUILDKIT_SOURCE_POLICY": str(settings / _POLICY)}
        return {"PATH": os.defpath, "HOME": str(settings), "DOCKER_CONFIG": str(settings), **policy, **said, **there}


def _buildx() -> str:
    found = shutil.which("docker-buildx", path=os.pathsep.join((*_FOLDERS, os.environ.get("PATH", os.defpath))))
    if found is None:
        raise ImagesUnsupportedError(_NO_BUILDX)
    return found


async def _unpacked(source: Path, context: Path) -> None:
    """Unpack the source in a thread; when this is left nobody writes to the folder any more."""
    stopped = Event()
    unpacking = asyncio.ensure_future(asyncio.to_thread(unpack, source, context, stopped.is_set))
    try:
        await asyncio.shield(unpacking)
    except asyncio.CancelledError:
        stopped.set()
        await asyncio.wait({unpacking})
        raise


def _dockerfile(context: Path, name: str) -> str:
    path = context / name
    if not path.resolve().is_relative_to(context.resolve()) or not path.is_file():
        raise DockerfileError(f"There is no file {name} in the source, so there is nothing to build the image from.")
    if path.stat().st_size > _LONGEST_DOCKERFILE:
        raise DockerfileError(f"The file {name} is larger than a Dockerfile may be (1 MiB).")
    text = path.read_text(errors="replace")
    if (refused := refusal(text)) is not None:
        raise DockerfileError(refused)
    return text


def _write_logins(settings: Path, logins: Mapping[str, Login]) -> None:
    settings.mkdir(mode=0o700)
    known = {
        _DOCKER_HUB if host == "docker.io" else host: {
            "auth": base64.b64encode(f"{login.user}:{login.password}".encode()).decode()
        }
        for host, login in logins.items()
    }
    (settings / "config.json").write_text(json.dumps({"auths": known}))


@contextmanager
def _sealed(value: str) -> Iterator[int]:
    """Give a file in memory that holds the value: a secret is on no disk, and in no process list."""
    number = os.memfd_create("secret", 0)
    try:
        os.write(number, value.encode())
        yield number
    finally:
        os.close(number)


async def _watched(process: Process, spec: DockerfileSpec, output: OutputSink, dockerfile: str) -> None:
    said: deque[str] = deque(maxlen=_LAST_LINES)
    try:
        async with asyncio.timeout(spec.timeout.total_seconds()):
            if not await first_of(_relay(process, output, said), until_fallen(spec.disk)):
                raise BuildOutOfDiskError(spec.disk)
            code = await process.wait()
    except TimeoutError as error:
        raise BuildTimedOutError(spec.timeout) from error
    finally:
        if process.returncode is None:  # BuildKit ends a build whose client is gone
            process.kill()
            await asyncio.shield(process.wait())
    if code:
        raise DockerfileError(*failure_of(said, dockerfile))


async def _relay(process: Process, output: OutputSink, said: deque[str]) -> None:
    assembler = LineAssembler(Flood())
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    while chunk := await process.stdout.read(_CHUNK):
        for line in assembler.feed(OutputStream.STDOUT, chunk):
            said.append(line.data[:_CHUNK].decode(errors="replace"))
            await output(line)
    for line in assembler.rest():
        said.append(line.data[:_CHUNK].decode(errors="replace"))
        await output(line)
