"""Releases made and collected on a real engine, beside things of others that bear almost the same names.

Each release has content of its own, and a deployment that was live and replaced, so that all but the last ones may go.
Prints one JSON object: made, left, disk_back_percent (what the engine got back, of what those that went had taken; the
engine must do nothing else meanwhile) and foreign_touched (of an image without our label under a name like ours, and of
image, container and network of another installation). Needs an engine.
"""

import asyncio
import json
import os
import secrets
import sys
import tempfile
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from aiodocker import Docker

from support import router_events as say
from support.apps import source
from support.memory_builder import MemoryBuilder
from support.runtime_node import POOL, RUNNER_IMAGE, Output
from windlass_builder.adapters.docker.runtime import DockerRuntime
from windlass_builder.application.collecting import Collecting
from windlass_builder.application.containers import Containers
from windlass_builder.application.looking import Looking
from windlass_builder.application.node import Node
from windlass_builder.domain.names import release_name
from windlass_builder.domain.workloads import ReleaseSpec
from windlass_contracts.config import DeploymentConfig
from windlass_contracts.events import BuildStarted, BuildSucceeded, ContainerStopped, CutoverStarted, DeploymentLive
from windlass_contracts.events.deployment import Recipe

MADE = 15 if os.environ.get("QUICK") else 100
KEPT = 3 if os.environ.get("QUICK") else 10
CONTENT_BYTES = 4 * 2**20


@dataclass(slots=True)
class Bench:
    """A node that has releases, and a log that says what became of each."""

    folder: Path
    installation: str
    runtime: DockerRuntime
    builder: MemoryBuilder

    async def make(self, number: int) -> None:
        """Make a release, and say that it was live and was replaced."""
        archive = source(self.folder, {"main.py": secrets.token_hex(CONTENT_BYTES // 2)})
        wanted = ReleaseSpec(project=say.PROJECT, runner=RUNNER_IMAGE, revision=secrets.token_hex(20))
        release = await self.runtime.build(wanted, archive, Output())
        deployment = say.deployment_number(number)
        await self.builder.tell(
            deployment,
            say.requested(config=DeploymentConfig(keep_releases=KEPT)),
            BuildStarted(node="one", attempt=1),
            BuildSucceeded(
                node="one",
                release=release.reference,
                digest=release.digest,
                recipe=Recipe(runner="python", start_command="python main.py"),
                cache_hit=False,
                duration_ms=1,
            ),
            say.started(deployment),
            say.healthy(deployment),
            CutoverStarted(containers=(say.container_of(deployment),)),
            DeploymentLive(generation=1, duration_ms=1),
            ContainerStopped(node="one", container=say.container_of(deployment), why="retired"),
        )

    async def collect(self) -> None:
        node = Node("one", self.installation, "docker", {}, self.folder, 2**30)
        containers = Containers(self.builder.rows, self.runtime, self.builder.vault, node, self.builder.log.head)
        await Collecting(self.builder.append, Looking(containers)).collect(say.PROJECT)

    async def left(self) -> int:
        return len([one for one in await self.runtime.releases(say.PROJECT) if not one.layer])


@dataclass(slots=True)
class Foreign:
    """What belongs to others, by what the command `docker` calls it."""

    installation: str
    other: str = "0"

    def __post_init__(self) -> None:
        self.other = secrets.token_hex(4)

    @property
    def names(self) -> list[tuple[str, str]]:
        lookalike = release_name(self.installation, "f" * 32)
        theirs = release_name(self.other, "f" * 32)
        named = f"windlass-{self.other}"
        return [("container", f"{named}-run"), ("network", f"{named}-net"), ("image", theirs), ("image", lookalike)]

    async def make(self) -> None:
        (_, container), (_, network), (_, theirs), (_, lookalike) = self.names
        label = f"dev.windlass.installation={self.other}"
        role = f"LABEL {label} dev.windlass.role=release dev.windlass.project={say.PROJECT}"
        for image, change in ((theirs, role), (lookalike, f"LABEL made-by={self.other}")):
            await docker("import", "--change", change, "--change", 'CMD ["true"]', "-", image)
        await docker("create", "--name", container, "--label", label, "--network", "none", theirs)
        subnet = next(IPv4Network("10.212.0.0/16").subnets(new_prefix=24))
        await docker("network", "create", "--label", label, "--subnet", str(subnet), network)

    async def touched(self) -> int:
        return [await docker(kind, "inspect", name, check=False) for kind, name in self.names].count(False)

    async def remove(self) -> None:
        for kind, name in self.names:
            await docker(kind, "rm", name, check=False)


async def docker(*arguments: str, check: bool = True) -> bool:
    """Run the command with an empty archive for its input, and return whether it succeeded."""
    process = await asyncio.create_subprocess_exec(
        "docker",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=None if check else asyncio.subprocess.DEVNULL,
    )
    await process.communicate(bytes(10_240))
    if check and process.returncode:
        raise RuntimeError(arguments)
    return process.returncode == 0


async def disk_bytes(engine: Docker) -> int:
    """Return what all layers of all images take together."""
    async with engine.session.get(f"{engine.docker_host}/{engine.api_version}/system/df?type=image") as answer:
        return int((await answer.json())["LayersSize"])


async def measured(bench: Bench, foreign: Foreign, engine: Docker) -> dict[str, float]:
    await engine.version()  # agrees on the version of the API
    await foreign.make()
    before = await disk_bytes(engine)
    for number in range(1, MADE + 1):
        await bench.make(number)
    full, made = await disk_bytes(engine), await bench.left()
    await bench.collect()
    left, after = await bench.left(), await disk_bytes(engine)
    share = (full - before) * (made - left) / made
    return {
        "made": made,
        "left": left,
        "disk_back_percent": round(100 * (full - after) / share, 1),
        "foreign_touched": await foreign.touched(),
    }


async def main() -> None:
    installation = secrets.token_hex(4)
    foreign, engine = Foreign(installation), Docker()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        runtime = DockerRuntime(installation, home, POOL)
        try:
            figures = await measured(Bench(home, installation, runtime, MemoryBuilder(home)), foreign, engine)
        finally:
            await runtime.purge()
            await runtime.close()
            await foreign.remove()
            await engine.close()
    print(json.dumps(figures))


if __name__ == "__main__":
    asyncio.run(main())
