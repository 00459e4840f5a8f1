"""Failpoints do nothing until they are switched on, and then kill exactly once, at the place that is armed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from windlass_eventlog.failpoints import VARIABLE, FailpointError, awaits, reach, switch_on

WALK = """
from windlass_eventlog.failpoints import reach, switch_on
switch_on("builder")
reach("before_append", "build.started.v1")
reach("after_append", "build.started.v1", 7)
print("went on", flush=True)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    switch_on("builder")
    yield tmp_path
    monkeypatch.delenv(VARIABLE)
    switch_on("builder")


def arm(folder: Path, **armed: object) -> None:
    written = folder / "armed.json.new"
    written.write_text(json.dumps({"service": "builder", "token": "1", **armed}))
    written.rename(folder / "armed.json")


def walk(folder: Path) -> "subprocess.CompletedProcess[str]":
    environment: Mapping[str, str] = {**os.environ, VARIABLE: str(folder)}
    return subprocess.run([sys.executable, "-c", WALK], capture_output=True, text=True, env=environment, check=False)


def reached(folder: Path) -> list[tuple[str, str, int | None]]:
    lines = map(json.loads, (folder / "reached.jsonl").read_text().splitlines())
    return [(line["service"], line["point"], line["sequence"]) for line in lines]


def test_points_do_nothing_where_no_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    switch_on("builder")
    arm(tmp_path, point="after_append:build.started.v1")
    reach("after_append", "build.started.v1", 7)
    assert not awaits("after_append", "build.started.v1")
    assert [path.name for path in tmp_path.iterdir()] == ["armed.json"]


def test_points_are_noted_where_nothing_is_armed(folder: Path) -> None:
    reach("before_append", "build.started.v1")
    reach("after_append", "build.started.v1", 7)
    assert reached(folder) == [
        ("builder", "before_append:build.started.v1", None),
        ("builder", "after_append:build.started.v1", 7),
    ]


def test_the_process_is_killed_at_the_armed_point_and_goes_on_when_it_is_started_again(folder: Path) -> None:
    arm(folder, point="after_append:build.started.v1")
    killed = walk(folder)
    assert (killed.returncode, killed.stdout) == (-signal.SIGKILL, "")
    assert reached(folder)[-1] == ("builder", "after_append:build.started.v1", 7)
    assert not (folder / "armed.json").exists()
    assert json.loads((folder / "disarmed-1.json").read_text())["point"] == "after_append:build.started.v1"
    assert walk(folder).stdout == "went on\n"


@pytest.mark.parametrize("other", [{"point": "before_ack:build.started.v1"}, {"service": "router"}])
def test_another_point_or_service_is_none_of_ours(folder: Path, other: dict[str, str]) -> None:
    arm(folder, **{"point": "after_append:build.started.v1", **other})
    assert not awaits("after_append", "build.started.v1")
    reach("after_append", "build.started.v1", 7)
    assert (folder / "armed.json").exists()


def test_another_process_has_ended_by_the_time_that_this_one_goes_on(folder: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as other:
        arm(folder, point="after_append:build.started.v1", process=other.pid)
        assert awaits("after_append", "build.started.v1")
        reach("after_append", "build.started.v1", 7)
        assert other.poll() == -signal.SIGKILL


def test_a_process_that_is_gone_already_harms_nothing(folder: Path) -> None:
    with subprocess.Popen(["true"]) as other:
        pass
    arm(folder, point="after_append:build.started.v1", process=other.pid)
    reach("after_append", "build.started.v1", 7)
    assert (folder / "disarmed-1.json").exists()


def test_the_first_process_of_the_machine_is_never_killed(folder: Path) -> None:
    arm(folder, point="after_append:build.started.v1", process=1)
    with pytest.raises(FailpointError, match="nobody's to kill"):
        reach("after_append", "build.started.v1", 7)


@pytest.mark.parametrize("written", ["", "[]", '{"point": 1}', '{"unknown": true}'])
def test_what_cannot_be_read_is_said_loudly(folder: Path, written: str) -> None:
    (folder / "armed.json").write_text(written)
    with pytest.raises(FailpointError, match=r"armed\.json cannot be used"):
        reach("after_append", "build.started.v1", 7)


def test_a_folder_that_is_none_is_refused_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "missing"))
    with pytest.raises(FailpointError, match="no folder"):
        switch_on("builder")
