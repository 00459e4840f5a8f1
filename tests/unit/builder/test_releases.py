"""What makes two releases, or two runners, the same one."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from windlass_builder.domain.detection.recipes import PYPROJECT, REQUIREMENTS, UV_LOCK, python_build_command
from windlass_builder.domain.releases import release_digest, runner_digest
from windlass_builder.domain.workloads import BuildStep, Limits, Mount, ReleaseSpec, RunnerSpec, Volume

LIMITS = Limits(memory=2**28, cpus=1.0, pids=64)
STEP = BuildStep(command="make", limits=LIMITS, disk=2**30, timeout=timedelta(minutes=10))
SPEC = ReleaseSpec(project=UUID(int=1), runner="python", revision="a" * 40, step=STEP)
RUNNER = RunnerSpec(
    name="runner", project=UUID(int=1), deployment=UUID(int=2), release="release", command="run", limits=LIMITS
)


def test_values_of_variables_are_not_in_the_public_digest() -> None:
    secret = replace(SPEC, step=replace(STEP, environment={"TOKEN": "secret"}))
    other = replace(SPEC, step=replace(STEP, environment={"TOKEN": "other"}))
    assert release_digest(secret, "image") == release_digest(other, "image")


def test_limits_do_not_change_what_a_release_contains() -> None:
    roomy = replace(STEP, limits=Limits(memory=2**30, cpus=4.0, pids=512), timeout=timedelta(hours=1), disk=2**40)
    assert release_digest(replace(SPEC, step=roomy), "image") == release_digest(SPEC, "image")


def test_a_new_runner_image_under_the_old_name_makes_new_releases() -> None:
    assert release_digest(SPEC, "old") != release_digest(SPEC, "new")


def test_each_part_of_a_runners_specification_counts() -> None:
    changed = [
        replace(RUNNER, command="walk"),
        replace(RUNNER, environment={"A": "1"}),
        replace(RUNNER, port=9000),
        replace(RUNNER, release="other"),
        replace(RUNNER, mounts=(Mount(Volume(UUID(int=1), UUID(int=2), "data"), "/data"),)),
        replace(RUNNER, limits=Limits(memory=2**28, cpus=2.0, pids=64)),
    ]
    digests = {runner_digest(spec) for spec in (RUNNER, *changed)}
    assert len(digests) == len(changed) + 1


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"main.py"}, None),
        ({"requirements.txt", "pyproject.toml"}, REQUIREMENTS),
        ({"uv.lock", "pyproject.toml", "requirements.txt"}, UV_LOCK),
        ({"pyproject.toml"}, PYPROJECT),
        ({"uv.lock"}, None),
    ],
)
def test_files_at_the_root_tell_how_a_python_project_is_built(files: set[str], command: str | None) -> None:
    assert python_build_command(files) == command


def test_secrets_are_in_no_representation() -> None:
    spec = replace(SPEC, step=replace(STEP, environment={"TOKEN": "secret"}))
    assert "secret" not in repr(spec)
    assert "secret" not in repr(replace(RUNNER, environment={"TOKEN": "secret"}))
