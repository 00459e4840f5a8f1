"""A FastAPI app from its source to the first 200, on a release of ours against an image made by hand with BuildKit.

Each of both, in turn: cold (nothing is there), a change of code, no change, a change of dependencies. By hand means a
Dockerfile with a layer for the requirements and a cache mount, `buildx build --load`, and `docker run` with the same
limits and rights; where nothing changed, the run alone. Prints one JSON object: cold_ratio, code_ratio, same_ratio and
deps_ratio (ours divided by that by hand, the median of the runs) and runs. Needs an engine and buildx.
"""

import asyncio
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from statistics import median
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from support.apps import request, source
from support.runtime_node import POOL, RUNNER_IMAGE, Output
from windlass.provisioning.buildx import find_buildx
from windlass_builder.adapters.archive import list_root
from windlass_builder.adapters.docker.runtime import DockerRuntime
from windlass_builder.domain.detection import dependencies
from windlass_builder.domain.detection.recipes import REQUIREMENTS
from windlass_builder.domain.names import runner_name
from windlass_builder.domain.workloads import BuildStep, DependencyLayer, Limits, ReleaseSpec, RunnerSpec

RUNS = 1 if os.environ.get("QUICK") else 5
KINDS = ("cold", "code", "same", "deps")
LIMITS = Limits(memory=512 * 2**20, cpus=1.0, pids=256)
BUILD = BuildStep(
    command=REQUIREMENTS,
    limits=Limits(memory=2**31, cpus=2.0, pids=1_024),
    disk=2**32,
    timeout=timedelta(minutes=5),
)
START = "exec uvicorn main:app --host 0.0.0.0 --port $PORT"
APP = "from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get('/')\ndef answer() -> str:\n    return '{}'\n"
FIRST = "fastapi==0.115.6\nuvicorn==0.34.0\n"
MORE = f"{FIRST}itsdangerous==2.2.0\n"
ASK_EVERY_S = 0.01
DOCKERFILE = """
FROM {base}
USER root
RUN mkdir -p /app && chown 10001:10001 /app
USER 10001:10001
WORKDIR /app
COPY --chown=10001:10001 requirements.txt .
RUN --mount=type=cache,id={cache},target=/cache,uid=10001,gid=10001 UV_CACHE_DIR=/cache UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1 sh -c "{install}"
COPY --chown=10001:10001 . .
ENV PATH=/app/.venv/bin:/opt/venv/bin:/usr/local/bin:/usr/bin:/bin PORT=8000
CMD ["sh", "-c", "{start}"]
"""


@dataclass
class Bench:
    """One run of both ways, each with caches of its own."""

    folder: Path
    runtime: DockerRuntime
    installation: str
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    files: dict[str, str] = field(default_factory=lambda: {"main.py": APP.format("first"), "requirements.txt": FIRST})
    revision: str = field(default_factory=lambda: secrets.token_hex(20))

    def __post_init__(self) -> None:
        self.project = uuid4()

    def change(self, kind: str) -> None:
        """Make the source as it is for that kind of deployment."""
        if kind == "code":
            self.files["main.py"] = APP.format(self.run)
        if kind == "deps":
            self.files["requirements.txt"] = MORE
        if kind != "same":
            self.revision = secrets.token_hex(20)

    async def ours(self, _kind: str) -> None:
        archive = source(self.folder, self.files)
        found = dependencies(REQUIREMENTS, await list_root(archive))
        assert found is not None
        layer = DependencyLayer(step=replace(BUILD, command=found.install), files=found.files)
        wanted = ReleaseSpec(project=self.project, runner=RUNNER_IMAGE, revision=self.revision, layer=layer)
        release = await self.runtime.build(wanted, archive, Output())
        deployment = uuid4()
        runner = await self.runtime.start(
            RunnerSpec(
                name=runner_name(self.installation, deployment),
                project=self.project,
                deployment=deployment,
                release=release.reference,
                command=START,
                limits=LIMITS,
            )
        )
        await until_answered(runner.address.host)

    async def by_hand(self, kind: str) -> None:
        image = f"windlass-bench-{self.run}"
        if kind != "same":
            context = self.folder / "context"
            context.mkdir(exist_ok=True)
            for name, text in self.files.items():
                (context / name).write_text(text)
            text = DOCKERFILE.format(base=RUNNER_IMAGE, cache=self.run, install=REQUIREMENTS, start=START)
            (context / "Dockerfile").write_text(text)
            fresh = ["--no-cache"] if kind == "cold" else []
            await said([str(find_buildx()), "build", "--builder=default", "--load", *fresh, "-t", image, str(context)])
        rights = ["--cap-drop=ALL", "--security-opt=no-new-privileges", "--init", "--tmpfs=/tmp"]
        limits = ["--memory=512m", "--memory-swap=512m", "--cpus=1", "--pids-limit=256"]
        name = f"{image}-{kind}"
        await said(["docker", "run", "--detach", "--name", name, f"--network={image}", *rights, *limits, image])
        shown = await said(["docker", "inspect", name])
        await until_answered(json.loads(shown)[0]["NetworkSettings"]["Networks"][image]["IPAddress"])


async def until_answered(host: str) -> None:
    """Return once the app answers."""
    async with asyncio.timeout(60):
        while True:
            try:
                if b" 200 " in (await request(host, 8000))[:20]:
                    return
            except OSError:
                pass  # the container is on its way: it gives no sign but an answer
            await asyncio.sleep(ASK_EVERY_S)


async def said(command: list[str], *, checked: bool = True) -> str:
    """Return what the command prints."""
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or not checked, done.stderr
    return done.stdout


@asynccontextmanager
async def prepared() -> AsyncIterator[Bench]:
    """Yield a run whose projects have networks already; nothing of it is left afterwards."""
    with tempfile.TemporaryDirectory(prefix="windlass-bench-") as folder:
        installation = secrets.token_hex(4)
        runtime = DockerRuntime(installation, Path(folder) / "home", POOL)
        bench = Bench(Path(folder), runtime, installation)
        image = f"windlass-bench-{bench.run}"
        try:
            await runtime.prepare(bench.project)
            await said(["docker", "network", "create", image])
            yield bench
        finally:
            await runtime.purge()
            await runtime.close()
            for kind in KINDS:
                await said(["docker", "rm", "--force", f"{image}-{kind}"], checked=False)
            await said(["docker", "network", "rm", image], checked=False)
            await said(["docker", "image", "rm", "--force", image], checked=False)


async def seconds(work: Callable[[str], Awaitable[None]], kind: str) -> float:
    began = time.monotonic()
    await work(kind)
    return time.monotonic() - began


async def main() -> None:
    """Measure, and print the ratios."""
    ratios: defaultdict[str, list[float]] = defaultdict(list)
    for number in range(RUNS):
        async with prepared() as bench:
            for kind in KINDS:
                bench.change(kind)
                ways = [bench.ours, bench.by_hand]
                took = {way.__name__: await seconds(way, kind) for way in (ways if number % 2 else ways[::-1])}
                print(f"{kind}: {took['ours']:.2f} s, by hand {took['by_hand']:.2f} s", file=sys.stderr)
                ratios[kind].append(took["ours"] / took["by_hand"])
    figures = {f"{kind}_ratio": round(median(ratios[kind]), 2) for kind in KINDS}
    print(json.dumps({**figures, "runs": RUNS}))


if __name__ == "__main__":
    asyncio.run(main())
