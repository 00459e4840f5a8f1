"""The limits of Dockerfiles' steps, as files of both versions of control groups."""

import os
from pathlib import Path

import pytest

from windlass_builder.adapters.docker.build_group import BuildGroup, BuildShare

SHARE = BuildShare(memory=2**30, cpus=1.5, processes=100, cores="1,2")


def written(root: Path) -> dict[str, str]:
    group = ("docker/buildkit/", "docker/")
    found = {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()}
    return {name: text for name, text in found.items() if any(part in name for part in group)}


def test_first_version_has_a_folder_for_each_controller(tmp_path: Path) -> None:
    assert BuildGroup(SHARE, tmp_path).hold_back()
    assert written(tmp_path) == {
        "cpu/docker/buildkit/cpu.shares": "128",
        "cpu/docker/buildkit/cpu.cfs_period_us": "100000",
        "cpu/docker/buildkit/cpu.cfs_quota_us": "150000",
        "memory/docker/buildkit/memory.limit_in_bytes": str(2**30),
        "pids/docker/buildkit/pids.max": "100",
    }


def test_second_version_has_one_folder_and_hands_its_controllers_down(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpu memory pids")
    assert BuildGroup(SHARE, tmp_path).hold_back()
    assert written(tmp_path) == {
        "docker/cgroup.subtree_control": "+cpu +cpuset +memory +pids",
        "docker/buildkit/cpu.weight": "12",
        "docker/buildkit/cpu.max": "150000 100000",
        "docker/buildkit/memory.max": str(2**30),
        "docker/buildkit/memory.swap.max": "0",
        "docker/buildkit/pids.max": "100",
        "docker/buildkit/cpuset.cpus": "1,2",
    }


@pytest.mark.parametrize(("above", "below"), [("0-2\n", "1,2"), ("\n", None)])
def test_first_version_gives_cores_once_the_engine_has_some(tmp_path: Path, above: str, below: str | None) -> None:
    (tmp_path / "cpuset/docker").mkdir(parents=True)
    (tmp_path / "cpuset/docker/cpuset.cpus").write_text(above)
    assert BuildGroup(SHARE, tmp_path).hold_back()
    assert written(tmp_path).get("cpuset/docker/buildkit/cpuset.cpus") == below


def test_who_may_not_set_them_is_told_so_and_builds_nevertheless(tmp_path: Path) -> None:
    (tmp_path / "cpu").write_text("no folder")
    assert not BuildGroup(SHARE, tmp_path).hold_back()


def test_half_of_the_machine_is_what_they_have_by_default() -> None:
    share = BuildShare.of_this_machine()
    assert (share.memory > 2**28, share.cpus >= 1) == (True, True)


def test_builds_leave_a_core_as_long_as_there_is_another() -> None:
    own = sorted(os.sched_getaffinity(0))
    assert BuildShare.of_this_machine(1).cores == ",".join(map(str, own[1:]))
    assert BuildShare.of_this_machine(0).cores == BuildShare.of_this_machine(len(own)).cores == ""
