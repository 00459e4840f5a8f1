"""Releases as images: the source on a runner image, with what the build command made of it."""

import asyncio
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from aiodocker import Docker, DockerError
from aiodocker.containers import DockerContainer

from windlass_builder.adapters.build_time import bounded
from windlass_builder.adapters.docker import build_container, ready_images
from windlass_builder.adapters.docker.archive import owned_by_app
from windlass_builder.adapters.docker.buildkit import BuildKit
from windlass_builder.adapters.docker.engine import delete_container, is_conflict, is_missing
from windlass_builder.adapters.docker.hardening import APP_FOLDER, APP_USER, SEARCH_PATH
from windlass_builder.adapters.docker.labels import Role, having, labels
from windlass_builder.adapters.docker.networks import ProjectNetworks
from windlass_builder.adapters.docker.ownership import delete_left, require_ours
from windlass_builder.adapters.docker.runner_images import RunnerImages
from windlass_builder.application.locks import Locks
from windlass_builder.application.runtime import OutputSink
from windlass_builder.application.runtime_errors import BuildOutOfDiskError
from windlass_builder.domain.images import runs_as_root
from windlass_builder.domain.names import build_name, cache_name, layer_name, release_name
from windlass_builder.domain.releases import dockerfile_digest, layer_digest, ready_image_digest, release_digest
from windlass_builder.domain.workloads import (
    BuildStep,
    DependencyLayer,
    DockerfileSpec,
    Kept,
    OutputLine,
    OutputStream,
    ReadyImageSpec,
    Release,
    ReleaseSpec,
)


@dataclass(frozen=True, slots=True)
class _Runner:
    """The image of a runner, and the id of what is in it."""

    name: str
    content: str


@dataclass(frozen=True, slots=True)
class _Image:
    """An image that is to be made: of the source, or `only` of these files of it, on another image."""

    project: UUID
    base: str
    reference: str
    role: Role
    step: BuildStep | None
    only: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class BuildTools:
    """What releases are made with; builds on runners use these `cores`, or all where none is named."""

    runners: RunnerImages
    buildkit: BuildKit
    cores: str = ""


class ImageReleases:
    """The releases of one installation. Raises DockerError for the engine's refusals, and what the port names."""

    def __init__(
        self,
        docker: Docker,
        installation: str,
        networks: ProjectNetworks,
        locks: Locks,
        tools: BuildTools,
    ) -> None:
        self._docker = docker
        self._installation = installation
        self._networks = networks
        self._locks = locks
        self._tools = tools
        self._sweeping = dict[str, asyncio.Task[None]]()

    async def build(self, spec: ReleaseSpec, source: Path, output: OutputSink) -> Release:
        on = _Runner(spec.runner, await self._tools.runners.content(spec.runner, output))
        digest = release_digest(spec, on.content)
        reference = release_name(self._installation, digest)
        async with self._locks.alone(build_name(self._installation, digest)):
            cache_hit = await self._exists(reference)
            if not cache_hit:
                async with bounded(spec):
                    base = spec.runner
                    if spec.layer is not None:
                        base = await self._layer(spec.project, spec.layer, on, source, output)
                    await self._make(spec, source, output, digest, base)
        return Release(reference=reference, digest=f"sha256:{digest}", cache_hit=cache_hit)

    async def build_image(self, spec: DockerfileSpec, source: Path, output: OutputSink) -> Release:
        digest = dockerfile_digest(spec)
        reference = release_name(self._installation, digest)
        marks = labels(self._installation, Role.RELEASE, spec.project)
        async with self._locks.alone(build_name(self._installation, digest)):
            cache_hit = await self._exists(reference)
            if not cache_hit:
                await self._tools.buildkit.build(spec, source, output, reference, marks)
                await self._accept(reference, output, spec.disk)
        return Release(reference=reference, digest=f"sha256:{digest}", cache_hit=cache_hit)

    async def take_image(self, spec: ReadyImageSpec, output: OutputSink) -> Release:
        digest = ready_image_digest(spec)
        reference = release_name(self._installation, digest)
        marks = labels(self._installation, Role.RELEASE, spec.project)
        async with self._locks.alone(build_name(self._installation, digest)):
            cache_hit = await self._exists(reference)
            if not cache_hit:
                image, known = await ready_images.fetch(self._docker, spec)
                await ready_images.own(self._docker, image, build_name(self._installation, digest), marks, reference)
                if not known:
                    await self.remove(image)
                await self._accept(reference, output, None)
        return Release(reference=reference, digest=spec.digest, cache_hit=cache_hit)

    async def _accept(self, reference: str, output: OutputSink, disk: int | None) -> None:
        """Say what is otherwise than the image says; one that is too large goes again."""
        found = await self._docker.images.inspect(reference)
        if disk is not None and found["Size"] > disk:
            await self.remove(reference)
            raise BuildOutOfDiskError(disk)
        if runs_as_root(found["Config"].get("User") or ""):
            await _say(output, f"The image asks for root. Nothing runs as root here: it is run as user {APP_USER}.")

    async def make_cache(self, project: UUID) -> str:
        name = cache_name(self._installation, project)
        marks = labels(self._installation, Role.CACHE, project)
        volume = await self._docker.volumes.create({"Name": name, "Labels": marks})
        require_ours("volume", name, (await volume.show())["Labels"], self._installation)
        return name

    async def kept(self, project: UUID) -> list[Kept]:
        """Return the project's releases and layers; whose content begins with a layer's was built on it."""
        releases = await self._contents(Role.RELEASE, project)
        layers = await self._contents(Role.LAYER, project)
        found = [
            Kept(
                reference=name,
                project=project,
                size=size,
                on=frozenset(layer for layer, (_, base) in layers.items() if content[: len(base)] == base),
            )
            for name, (size, content) in releases.items()
        ]
        return [
            *found,
            *(Kept(reference=name, project=project, size=size, layer=True) for name, (size, _) in layers.items()),
        ]

    async def _contents(self, role: Role, project: UUID) -> dict[str, tuple[int, list[str]]]:
        """Return size and content of the images of that role, by the names that this installation gave them."""
        ours = having(self._installation, role=role, project=project)
        of_role = (layer_name if role is Role.LAYER else release_name)(self._installation, "")
        contents = {}
        for image in await self._docker.images.list(filters=ours):
            for name in image["RepoTags"] or ():
                if name.startswith(of_role) and (about := await self._inspected(name)) is not None:
                    contents[name] = (about["Size"], about["RootFS"].get("Layers") or [])
        return contents

    async def remove(self, reference: str) -> None:
        try:
            await self._docker.images.delete(reference)
        except DockerError as error:
            if not is_missing(error):
                raise

    async def reap(self) -> None:
        """Kill and delete the build containers of builders that died: nobody holds the lock of such a one's name."""
        builds = having(self._installation, role=Role.BUILD)
        for container in await self._docker.containers.list(all=True, filters=builds):
            if (release := self._locks.attempt(container["Names"][0].removeprefix("/"))) is not None:
                try:
                    await delete_container(container)
                finally:
                    release()

    async def _exists(self, reference: str) -> bool:
        return await self._inspected(reference) is not None

    async def _inspected(self, reference: str) -> dict[str, Any] | None:
        try:
            return await self._docker.images.inspect(reference)
        except DockerError as error:
            if is_missing(error):
                return None
            raise

    async def _make(self, spec: ReleaseSpec, source: Path, output: OutputSink, digest: str, base: str) -> None:
        made = _Image(spec.project, base, release_name(self._installation, digest), Role.RELEASE, spec.step)
        await self._build(made, source, output, digest)

    async def _layer(self, project: UUID, layer: DependencyLayer, on: _Runner, source: Path, output: OutputSink) -> str:
        """Return the image with the dependencies: the one that an earlier release was built on, or a new one."""
        digest = layer_digest(project, layer, on.content)
        reference = layer_name(self._installation, digest)
        names = ", ".join(sorted(layer.files))
        async with self._locks.alone(build_name(self._installation, digest)):
            if await self._exists(reference):
                await _say(output, f"The dependencies are taken from before: unchanged are {names}.")
                return reference
            await _say(output, f"The dependencies are installed anew, from {names}: {layer.step.command}")
            made = _Image(project, on.name, reference, Role.LAYER, layer.step, frozenset(layer.files))
            await self._build(made, source, output, digest)
        return reference

    async def _build(self, made: _Image, source: Path, output: OutputSink, digest: str) -> None:
        """Make the image in a container that bears the digest in its name."""
        name = build_name(self._installation, digest)
        creating = asyncio.ensure_future(self._create(made, name))
        try:
            container = await asyncio.shield(creating)
        except asyncio.CancelledError:  # the engine makes it nevertheless
            await asyncio.shield(self._delete_made(creating))
            raise
        try:
            await self._put_source(container, made, source)
            if made.step is not None:
                await container.start()
                await build_container.run_step(container, made.step, output)
                await build_container.kill(container)
            await self._commit(container, made)
        except BaseException:
            await asyncio.shield(delete_container(container))
            raise
        self._sweep(name, container)

    async def _delete_made(self, creating: "asyncio.Future[DockerContainer]") -> None:
        with suppress(DockerError):
            await delete_container(await creating)

    def _sweep(self, name: str, container: DockerContainer) -> None:
        """Delete what is done with while the release already starts; what a crash leaves, `reap` finds."""
        self._sweeping[name] = task = asyncio.create_task(delete_container(container))
        task.add_done_callback(lambda _: self._sweeping.pop(name, None))

    async def close(self) -> None:
        """Wait for what is being deleted."""
        await asyncio.gather(*self._sweeping.values())

    async def _create(self, made: _Image, name: str) -> DockerContainer:
        configuration = await self._configuration(made)
        if name in self._sweeping:
            await self._sweeping[name]
        try:
            return await self._docker.containers.create(configuration, name=name)
        except DockerError as error:
            if not is_conflict(error):
                raise
        await delete_left(self._docker, name, self._installation)
        return await self._docker.containers.create(configuration, name=name)

    async def _configuration(self, made: _Image) -> dict[str, Any]:
        marks = {"Labels": labels(self._installation, Role.BUILD, made.project)}
        if made.step is None:
            return {"Image": made.base, "Cmd": ["true"], "HostConfig": {"NetworkMode": "none"}, **marks}
        network = await self._networks.ensure(made.project)
        cache = await self.make_cache(made.project)
        container = build_container.build_configuration(made.base, made.step, network.name, cache, self._tools.cores)
        return {**container, **marks}

    async def _put_source(self, container: DockerContainer, made: _Image, source: Path) -> None:
        folders = () if made.step is None else (build_container.CACHE_FOLDER,)
        with tempfile.TemporaryFile() as prepared:
            await asyncio.to_thread(owned_by_app, source, prepared, folders, made.only)
            await container.put_archive("/", prepared)

    async def _commit(self, container: DockerContainer, made: _Image) -> None:
        repository, _, tag = made.reference.partition(":")
        await container.commit(
            repository=repository,
            tag=tag,
            pause=False,  # nothing runs in it
            config={
                "User": f"{APP_USER}:{APP_USER}",
                "WorkingDir": APP_FOLDER,
                "Env": [f"PATH={SEARCH_PATH}"],
                "Entrypoint": [],
                "Cmd": ["/bin/sh", "-c", "echo 'A release is started by Windlass.' >&2; exit 64"],
                "Labels": labels(self._installation, made.role, made.project),
            },
        )


async def _say(output: OutputSink, text: str) -> None:
    await output(OutputLine(datetime.now(UTC), OutputStream.STDERR, text.encode()))
