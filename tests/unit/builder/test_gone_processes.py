"""A runner or a release that was removed at this very moment is none, and no error."""

from pathlib import Path
from uuid import uuid4

import pytest

from windlass_builder.adapters.node_locks import NodeLocks
from windlass_builder.adapters.processes.releases import FolderReleases
from windlass_builder.adapters.processes.runners import RunnerFolder, read_runner
from windlass_builder.adapters.processes.sandbox import Plain
from windlass_builder.adapters.processes.supervised import ask, attach
from windlass_builder.adapters.processes.tools import Tools
from windlass_builder.application.runtime_errors import ReleaseMissingError
from windlass_builder.domain.workloads import Created


async def test_a_runner_that_is_gone_answers_nobody(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    assert await ask(gone, "greet") is None
    assert await attach(gone) is None
    assert read_runner(gone) is None
    marks = {"name": "gone", "id": "1", "project": str(uuid4()), "deployment": str(uuid4())}
    assert RunnerFolder(gone, "digest", 8000, "release", "python", marks).runner(supervised=False).state == Created()


async def test_a_release_that_is_on_its_way_out_is_none(tmp_path: Path) -> None:
    locks = NodeLocks(tmp_path / "locks")
    releases = FolderReleases(tmp_path, "0badcafe", Plain(), Tools(tmp_path / "tools", {}), None, locks)
    (tmp_path / "releases" / "half").mkdir()
    assert releases.kept(uuid4()) == []
    with pytest.raises(ReleaseMissingError):
        releases.find("windlass-0badcafe-release:half")
