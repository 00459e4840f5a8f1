"""Releases as images: the source on a runner image, with what the build command made of it."""

import asyncio
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any
from uuid import UUID

from aiodocker import Docker, DockerError
from aiodocker.containers import DockerContainer

from windlass_builder.adapters.docker import build_container
from windlass_builder.adapters.docker.archive import owned_by_app
from windlass_builder.adapters.docker.engine import delete_container, is_conflict, is_missing
from windlass_builder.adapters.docker.hardening import APP_FOLDER, APP_USER, SEARCH_PATH
from windlass_builder.adapters.docker.labels import Role, having, labels
from windlass_builder.adapters.docker.networks import ProjectNetworks
from windlass_builder.adapters.docker.runner_images import RunnerImages
from windlass_builder.application.runtime import OutputSink
from windlass_builder.domain.names import build_name, cache_name, release_name
from windlass_builder.domain.releases import release_digest
from windlass_builder.domain.workloads import Release, ReleaseSpec


class ImageReleases:
    """The releases of one installation. Raises DockerError for the engine's refusals, and what the port names."""

    def __init__(self, docker: Docker, installation: str, networks: ProjectNetworks, runners: RunnerImages) -> None:
        self._docker = docker
        self._installation = installation
        self._networks = networks
        self._runners = runners
        self._building = defaultdict[str, asyncio.Lock](asyncio.Lock)
        self._sweeping = dict[str, asyncio.Task[None]]()

    async def build(self, spec: ReleaseSpec, source: Path, output: OutputSink) -> Release:
        digest = release_digest(spec, await self._runners.content(spec.runner, output))
        reference = release_name(self._installation, digest)
        async with self._building[digest]:
            cache_hit = await self._exists(reference)
            if not cache_hit:
                await self._make(spec, source, output, digest)
        return Release(reference=reference, digest=f"sha256:{digest}", cache_hit=cache_hit)

    async def make_cache(self, project: UUID) -> str:
        name = cache_name(self._installation, project)
        await self._docker.volumes.create({"Name": name, "Labels": labels(self._installation, Role.CACHE, project)})
        return name

    async def remove(self, reference: str) -> None:
        try:
            await self._docker.images.delete(reference)
        except DockerError as error:
            if not is_missing(error):
                raise

    async def reap(self) -> None:
        """Kill and delete all build containers; for before this process builds anything."""
        builds = having(self._installation, role=Role.BUILD)
        for container in await self._docker.containers.list(all=True, filters=builds):
            await delete_container(container)

    async def _exists(self, reference: str) -> bool:
        try:
            await self._docker.images.inspect(reference)
        except DockerError as error:
            if is_missing(error):
                return False
            raise
        return True

    async def _make(self, spec: ReleaseSpec, source: Path, output: OutputSink, digest: str) -> None:
        name = build_name(self._installation, digest)
        container = await self._create(spec, name)
        try:
            await self._put_source(container, spec, source)
            if spec.step is not None:
                await container.start()
                await build_container.run_step(container, spec.step, output)
                await build_container.kill(container)
            await self._commit(container, spec.project, release_name(self._installation, digest))
        except BaseException:
            await asyncio.shield(delete_container(container))
            raise
        self._sweep(name, container)

    def _sweep(self, name: str, container: DockerContainer) -> None:
        """Delete what is done with while the release already starts; what a crash leaves, `reap` finds."""
        self._sweeping[name] = task = asyncio.create_task(delete_container(container))
        task.add_done_callback(lambda _: self._sweeping.pop(name, None))

    async def close(self) -> None:
        """Wait for what is being deleted."""
        await asyncio.gather(*self._sweeping.values())

    async def _create(self, spec: ReleaseSpec, name: str) -> DockerContainer:
        configuration = await self._configuration(spec)
        if name in self._sweeping:
            await self._sweeping[name]
        try:
            return await self._docker.containers.create(configuration, name=name)
        except DockerError as error:
            if not is_conflict(error):
                raise
        # An earlier life of this process died while it built this release.
        await delete_container(self._docker.containers.container(name))
        return await self._docker.containers.create(configuration, name=name)

    async def _configuration(self, spec: ReleaseSpec) -> dict[str, Any]:
        marks = {"Labels": labels(self._installation, Role.BUILD, spec.project)}
        if spec.step is None:
            return {"Image": spec.runner, "Cmd": ["true"], "HostConfig": {"NetworkMode": "none"}, **marks}
        network = await self._networks.ensure(spec.project)
        cache = await self.make_cache(spec.project)
        return {**build_container.build_configuration(spec.runner, spec.step, network.name, cache), **marks}

    async def _put_source(self, container: DockerContainer, spec: ReleaseSpec, source: Path) -> None:
        folders = () if spec.step is None else (build_container.CACHE_FOLDER,)
        with tempfile.TemporaryFile() as prepared:
            await asyncio.to_thread(owned_by_app, source, prepared, folders)
            await container.put_archive("/", prepared)

    async def _commit(self, container: DockerContainer, project: UUID, reference: str) -> None:
        repository, _, tag = reference.partition(":")
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
                "Labels": labels(self._installation, Role.RELEASE, project),
            },
        )
