"""The runtime on a Docker engine: releases are images, runners are locked-up containers."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import datetime, timedelta
from ipaddress import IPv4Network
from pathlib import Path
from uuid import UUID

from aiodocker import Docker, DockerError
from aiodocker.containers import DockerContainer

from windlass_builder.adapters.connections import open_connections
from windlass_builder.adapters.docker.attachment import ContainerAttachment
from windlass_builder.adapters.docker.attending import pass_on
from windlass_builder.adapters.docker.belongings import Belongings
from windlass_builder.adapters.docker.build_group import BuildGroup, BuildShare
from windlass_builder.adapters.docker.buildkit import BuildKit
from windlass_builder.adapters.docker.containers import Containers
from windlass_builder.adapters.docker.engine import (
    connect,
    delete_container,
    engine_errors,
    find_container,
    is_here,
    is_missing,
    set_restart_policy,
)
from windlass_builder.adapters.docker.events import EngineEvents
from windlass_builder.adapters.docker.labels import ROLE, Role, having
from windlass_builder.adapters.docker.networks import ProjectNetworks
from windlass_builder.adapters.docker.releases import BuildTools, ImageReleases
from windlass_builder.adapters.docker.runner_images import RunnerImages
from windlass_builder.adapters.docker.runners import whole_seconds
from windlass_builder.adapters.docker.volumes import Volumes
from windlass_builder.adapters.node_locks import NodeLocks
from windlass_builder.adapters.rotation import Rotation
from windlass_builder.application.attachment import Attachment
from windlass_builder.application.runtime import OutputSink
from windlass_builder.application.runtime_errors import (
    EngineError,
    RunnerNotRunningError,
)
from windlass_builder.domain.belongings import Belonging
from windlass_builder.domain.workloads import (
    Console,
    DockerfileSpec,
    EventsResumed,
    Exited,
    Kept,
    Paused,
    ReadyImageSpec,
    Release,
    ReleaseSpec,
    Runner,
    RunnerEvent,
    RunnerSpec,
    Running,
    Volume,
    VolumeFound,
    Written,
)
from windlass_contracts.run_frames import Size


class DockerRuntime:
    """`Runtime` on the engine at `url` (the local one without it); `pool` is cut into one /24 per project.

    `home` keeps which addresses were used last; whoever prepares runner images locks a file in it meanwhile. `share` is
    what Dockerfiles' steps may use together. Raises EngineError where there is no engine.
    """

    def __init__(
        self, installation: str, home: Path, pool: IPv4Network, url: str | None = None, share: BuildShare | None = None
    ) -> None:
        self._installation = installation
        self._url = url
        self._docker: Docker = connect(url)
        rotation, locks = Rotation(home / "docker" / "addresses.json"), NodeLocks(home / "locks")
        self._networks = ProjectNetworks(self._docker, installation, pool, rotation, locks)
        self._belongings = Belongings(self._docker, installation, self._networks)
        self._volumes = Volumes(self._docker, installation)
        runners = RunnerImages(self._docker, home / "runners.lock")
        self._containers = Containers(self._docker, installation, self._networks, self._volumes)
        share = share or BuildShare.of_this_machine()
        group, cores = (BuildGroup(share), share.cores) if is_here(url) else (None, "")
        tools = BuildTools(runners, BuildKit(url, group), cores)
        self._releases = ImageReleases(self._docker, installation, self._networks, locks, tools)

    @property
    def isolation(self) -> str:
        return (
            "Apps run as containers, without root rights, each within its limits and each project in its own network; "
            "they share this machine's kernel."
        )

    async def prepare(self, project: UUID) -> None:
        with engine_errors("making the project's network and cache"):
            await asyncio.gather(self._networks.ensure(project), self._releases.make_cache(project))

    async def build(self, spec: ReleaseSpec, source: Path, output: OutputSink) -> Release:
        with engine_errors("building a release"):
            return await self._releases.build(spec, source, output)

    async def build_image(self, spec: DockerfileSpec, source: Path, output: OutputSink) -> Release:
        with engine_errors("building an image"):
            return await self._releases.build_image(spec, source, output)

    async def take_image(self, spec: ReadyImageSpec, output: OutputSink) -> Release:
        with engine_errors("fetching an image"):
            return await self._releases.take_image(spec, output)

    async def create(self, spec: RunnerSpec) -> None:
        with engine_errors(f"making {spec.name}"):
            if await find_container(self._docker, spec.name) is None:
                await self._containers.created(spec)

    async def start(self, spec: RunnerSpec) -> Runner:
        with engine_errors(f"starting {spec.name}"):
            container = await self._containers.taken_up(spec) or await self._containers.created(spec)
            await self._volumes.give(container, spec.mounts)
            await self._containers.begin(container)
        return await self.inspect(spec.name)

    async def attend(self, name: str, output: OutputSink, after: datetime | None = None) -> Exited:
        with engine_errors(f"reading what {name} writes"):
            await self._containers.required(name)
            await pass_on(self._docker, name, output, after)
        state = (await self.inspect(name)).state
        if not isinstance(state, Exited):
            raise EngineError(f"The Docker engine let go of {name} while it is not over.")
        return state

    @asynccontextmanager
    async def attached(self, spec: RunnerSpec) -> AsyncIterator[Attachment]:
        console = spec.console or Console(terminal=False)
        with engine_errors(f"starting {spec.name}"):
            container = await self._containers.taken_up(spec) or await self._containers.created(spec)
            await self._volumes.give(container, spec.mounts)
            attachment = self._attachment(container, terminal=console.terminal)
            await attachment.open()
        try:
            with engine_errors(f"starting {spec.name}"):
                await self._containers.begin(container)
            await attachment.resize(Size(console.rows, console.columns))
            yield attachment
        finally:
            await attachment.close()

    @asynccontextmanager
    async def attached_again(self, name: str) -> AsyncIterator[Attachment]:
        with engine_errors(f"connecting to {name}"):
            found = await self._containers.required(name)
            if not found["State"]["Running"]:
                raise RunnerNotRunningError(name)
            container = self._docker.containers.container(found["Id"])
            attachment = self._attachment(container, terminal=found["Config"]["Tty"])
            await attachment.open()
        try:
            yield attachment
        finally:
            await attachment.close()

    def _attachment(self, container: DockerContainer, *, terminal: bool) -> ContainerAttachment:
        return ContainerAttachment(self._docker, self._installation, container, terminal=terminal)

    async def keep_running(self, name: str) -> None:
        with engine_errors(f"keeping {name} running"):
            await self._containers.required(name)
            await set_restart_policy(self._docker, name, "unless-stopped")

    async def stop(self, name: str, grace: timedelta) -> None:
        with engine_errors(f"stopping {name}"):
            try:
                if (found := await self._containers.ours(name)) is not None:
                    await self._docker.containers.container(found["Id"]).stop(t=whole_seconds(grace))
            except DockerError as error:
                if not is_missing(error):
                    raise

    async def pause(self, name: str) -> None:
        with engine_errors(f"pausing {name}"):
            await self._containers.switch(name, DockerContainer.pause, Paused)

    async def resume(self, name: str) -> None:
        with engine_errors(f"resuming {name}"):
            await self._containers.switch(name, DockerContainer.unpause, Running)

    async def remove(self, name: str) -> None:
        with engine_errors(f"removing {name}"):
            if (found := await self._containers.ours(name)) is not None:
                await delete_container(self._docker.containers.container(found["Id"]))

    async def inspect(self, name: str) -> Runner:
        with engine_errors(f"inspecting {name}"):
            return await self._containers.runner(await self._containers.required(name))

    async def open_connections(self, name: str) -> int | None:
        return await asyncio.to_thread(open_connections, (await self.inspect(name)).address)

    async def runners(self) -> Sequence[Runner]:
        with engine_errors("listing the runners"):
            return await self._containers.all()

    async def events(self, since: datetime | None = None) -> AsyncGenerator[RunnerEvent | EventsResumed, None]:
        async with aclosing(EngineEvents(self._url, self._installation).follow(since)) as events:
            async for event in events:
                yield event

    async def releases(self, project: UUID) -> Sequence[Kept]:
        with engine_errors("listing the releases"):
            return await self._releases.kept(project)

    async def remove_release(self, reference: str) -> None:
        with engine_errors(f"removing the release {reference}"):
            await self._releases.remove(reference)

    async def belongings(self, project: UUID) -> Sequence[Belonging]:
        with engine_errors("listing what is kept for a project"):
            return await self._belongings.all(project)

    async def measured(self, belonging: Belonging) -> Belonging:
        with engine_errors(f"measuring {belonging.name}"):
            return await self._belongings.measured(belonging)

    async def remove_belonging(self, belonging: Belonging) -> None:
        with engine_errors(f"removing {belonging.name}"):
            await self._belongings.remove(belonging)

    async def volumes(self) -> Sequence[VolumeFound]:
        with engine_errors("measuring the volumes"):
            return await self._volumes.all()

    async def remove_volume(self, volume: Volume) -> None:
        with engine_errors(f"removing the volume {volume.name}"):
            await self._volumes.remove(volume)

    async def written(self) -> Sequence[Written]:
        with engine_errors("measuring what apps wrote"):
            return await self._containers.written()

    async def written_by(self, name: str) -> int:
        with engine_errors(f"measuring what {name} wrote"):
            return await self._containers.written_by(name)

    async def reap_builds(self) -> None:
        with engine_errors("removing abandoned builds"):
            await self._releases.reap()

    async def remove_project(self, project: UUID) -> None:
        with engine_errors("removing a project"):
            await self._remove_all(having(self._installation, project=project), spared=Role.VOLUME)

    async def purge(self) -> None:
        with engine_errors("removing the installation"):
            await self._remove_all(having(self._installation))

    async def close(self) -> None:
        try:
            await self._releases.close()
        finally:
            await self._docker.close()

    async def _remove_all(self, filters: dict[str, list[str]], spared: Role | None = None) -> None:
        """Remove what bears the labels: containers first, for they hold the rest."""
        containers = await self._docker.containers.list(all=True, filters=filters)
        await asyncio.gather(*map(delete_container, containers))
        for image in await self._docker.images.list(filters={"label": filters["label"]}):
            for reference in image["RepoTags"] or [image["Id"]]:
                await self._releases.remove(reference)
        for network in await self._docker.networks.list(filters=filters):
            await self._networks.remove(network["Name"])
        for volume in (await self._docker.volumes.list(filters=filters))["Volumes"] or []:
            if volume["Labels"][ROLE] != spared:
                await (await self._docker.volumes.get(volume["Name"])).delete()
