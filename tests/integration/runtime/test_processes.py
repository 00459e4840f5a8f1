"""What only the runtime without an engine has to promise."""

import asyncio
import shutil
import tarfile
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import time_ns

import psutil
import pytest

from support.apps import request
from support.runtime_node import RUNNER_IMAGE, ProcessNode
from support.up_process import Witness, descendants
from windlass_builder.adapters.processes.runtime import ProcessRuntime
from windlass_builder.adapters.processes.sandbox import Bubblewrap, Plain
from windlass_builder.adapters.processes.supervision import record
from windlass_builder.adapters.processes.supervision.line_files import FILE_BYTES, FILES_KEPT
from windlass_builder.application.runtime_errors import BuildSourceError
from windlass_builder.domain.workloads import Exited, RunnerExited


@pytest.fixture
def folder(installation_id: str) -> Iterator[Path]:
    """Yield a folder that other users can enter, as the runtime without a sandbox needs it; pytest's own are closed."""
    folder = Path(f"/var/tmp/windlass-test-{installation_id}")  # noqa: S108 - named by a random id
    folder.mkdir(mode=0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(params=[Bubblewrap(), Plain()], ids=["bubblewrap", "plain"])
async def node(request: pytest.FixtureRequest, folder: Path, installation_id: str) -> AsyncIterator[ProcessNode]:
    """Yield a node with each sandbox."""
    python = {RUNNER_IMAGE: Path("/usr/bin/python3")}
    connect = partial(ProcessRuntime, installation_id, folder / "home", python, request.param)
    node = ProcessNode(installation_id, folder, connect, connect())
    yield node
    await node.runtime.purge()


def command_lines() -> str:
    return "".join(path.read_text() for path in Path("/proc").glob("[0-9]*/cmdline"))


def supervisor(name: str) -> int:
    """Return the process id of the runner's supervisor."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if (path / "cwd").readlink().name == name and "supervision" in (path / "cmdline").read_text():
                return int(path.name)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    raise AssertionError(f"{name} has no supervisor")


async def test_app_does_not_outlive_a_killed_supervisor(node: ProcessNode) -> None:
    spec = await node.app()
    runner = await node.runtime.start(spec)
    await request(runner.address.host, runner.address.port)
    process = psutil.Process(supervisor(spec.name))
    witnesses = [Witness.of(process), *descendants(process.pid)]
    process.kill()
    assert all([await asyncio.to_thread(each.ended) for each in witnesses])
    assert (await node.runtime.inspect(spec.name)).state == Exited(137, out_of_memory=False)
    again = await node.runtime.start(spec)
    assert again.address == runner.address
    assert b"200 OK" in await request(again.address.host, again.address.port)


async def test_secrets_are_in_no_list_of_processes_and_on_no_disk(node: ProcessNode) -> None:
    spec = replace(await node.app(), environment={"TOKEN": "a-well-kept-secret"})
    runner = await node.runtime.start(spec)
    assert b"a-well-kept-secret" in await request(runner.address.host, runner.address.port)
    assert "a-well-kept-secret" not in command_lines()
    files = (path for path in (node.folder / "home").rglob("*") if path.is_file())
    assert not [path for path in files if b"a-well-kept-secret" in path.read_bytes()]


@pytest.mark.parametrize(
    ("kind", "name", "target"),
    [
        (tarfile.SYMTYPE, "main.py", "/etc/passwd"),
        (tarfile.SYMTYPE, "main.py", "../../../etc/passwd"),
        (tarfile.SYMTYPE, "folder/../../main.py", "inside"),
        (tarfile.LNKTYPE, "main.py", "/etc/passwd"),
        (tarfile.REGTYPE, "../main.py", ""),
        (tarfile.REGTYPE, "/etc/main.py", ""),
        (tarfile.FIFOTYPE, "main.py", ""),
    ],
)
async def test_source_that_leads_outside_is_refused(node: ProcessNode, kind: bytes, name: str, target: str) -> None:
    archive = node.folder / "hostile.tar"
    with tarfile.open(archive, "w") as tar:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = kind, target
        tar.addfile(entry)
    with pytest.raises(BuildSourceError, match="leads out of it"):
        await node.runtime.build(node.release_spec(), archive, node.output)
    assert not [*(node.folder / "home" / "processes" / "releases").iterdir()]


async def test_abandoned_drafts_of_builds_are_removed(node: ProcessNode) -> None:
    release = await node.build(node.release_spec())
    releases = node.folder / "home" / "processes" / "releases"
    (releases / ".building-0123").mkdir()
    await node.runtime.reap_builds()
    assert [path.name for path in releases.iterdir()] == [release.reference.rpartition(":")[2]]


async def test_events_are_followed_into_the_next_file(node: ProcessNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "_LARGEST_EVENTS_FILE", 1_000)
    since = node.now()
    home = str(node.folder / "home" / "processes")
    marks = {"name": "runner", "project": str(node.project), "deployment": str(node.project)}
    seen = []
    async with asyncio.timeout(60), aclosing(node.runtime.events(since)) as events:
        for number in range(20):
            record.append_event(
                home, {"event": "exited", "at": time_ns(), "exit_code": number, "out_of_memory": False, **marks}
            )
            event = await anext(events)
            assert isinstance(event, RunnerExited)
            seen.append(event.exit_code)
    assert seen == [*range(20)]


async def test_output_without_end_leaves_its_newest_files_and_no_more(node: ProcessNode) -> None:
    flood = "python3 -c 'for _ in range(1300): print(\"x\" * 99_999)'; echo last"
    spec = await node.app(flood)
    since = node.now()
    await node.runtime.start(spec)
    await node.exit_of(spec.name, since)
    files = sorted((node.folder / "home" / "processes" / "runners" / spec.name / "log").iterdir())
    assert sum(file.stat().st_size for file in files) <= (FILES_KEPT + 1) * FILE_BYTES
    assert len(files) == FILES_KEPT
    assert files[-1].read_bytes().endswith(b"1 last\n")
