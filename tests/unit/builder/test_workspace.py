"""Folders of builds go with their users, and what killed builders left goes at the next start."""

import os
from pathlib import Path

from windlass_builder.adapters.node_locks import NodeLocks
from windlass_builder.application.workspace import reap_workspaces, workspace


def test_a_workspace_is_empty_and_gone_afterwards(tmp_path: Path) -> None:
    with workspace(tmp_path) as folder:
        (folder / "source.tar").write_bytes(b"1")
        assert folder.parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_what_the_dead_left_is_swept_and_what_the_living_use_is_spared(tmp_path: Path) -> None:
    left = tmp_path / "tmpleft" / "source"
    left.mkdir(parents=True)
    (left / "file").write_bytes(b"1")
    outside = tmp_path / "outside"
    outside.mkdir()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (tmp_path / "tmpleft").rename(scratch / "tmpleft")
    (scratch / "link").symlink_to(outside)
    with workspace(scratch) as folder:
        assert reap_workspaces(scratch) == 1
        assert folder.is_dir()
    assert {path.name for path in scratch.iterdir()} == {"link"}
    assert outside.is_dir()


async def test_files_of_locks_that_nobody_holds_are_swept_and_others_stay(tmp_path: Path) -> None:
    (tmp_path / "killed").touch()
    locks = NodeLocks(tmp_path)
    async with locks.alone("something"):
        NodeLocks(tmp_path).reap()
        assert len(os.listdir(tmp_path)) == 1  # noqa: PTH208 - not in an async function
        assert NodeLocks(tmp_path).attempt("something") is None
