"""A test that was left out is never mistaken for one that passed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
SKIPPING = "import pytest\ndef test_engine(): pytest.skip('no engine answers')\ndef test_other(): pass\n"


def session(folder: Path, test: str, ci: str, *more: str) -> "subprocess.CompletedProcess[str]":
    (folder / "test_it.py").write_text(test)
    options = ["-q", "-p", "support.skips", *more, "--rootdir", str(folder)]
    command = [sys.executable, "-m", "pytest", *options, str(folder)]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(TESTS), **({"CI": ci} if ci else {})}
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder, env=environment)


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "in a worker"])
def test_skip_is_said_with_its_reason(tmp_path: Path, workers: tuple[str, ...]) -> None:
    done = session(tmp_path, SKIPPING, "", *workers)
    assert done.returncode == 0
    assert "test_it.py::test_engine: Skipped: no engine answers" in done.stdout


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "in a worker"])
def test_skip_fails_the_session_in_ci(tmp_path: Path, workers: tuple[str, ...]) -> None:
    done = session(tmp_path, SKIPPING, "true", *workers)
    assert done.returncode == 1
    assert "Skipped, which CI does not allow: Skipped: no engine answers" in done.stdout
    assert "1 failed, 1 passed" in done.stdout


@pytest.mark.parametrize("ci", ["", "true"])
def test_session_that_skips_nothing_says_so(tmp_path: Path, ci: str) -> None:
    done = session(tmp_path, "def test_it(): pass\n", ci)
    assert done.returncode == 0
    assert "Nothing was skipped." in done.stdout


def test_module_that_skips_itself_fails_the_session_in_ci(tmp_path: Path) -> None:
    done = session(tmp_path, "import pytest\npytest.importorskip('windlass_absent')\n", ci="true")
    assert done.returncode != 0
    assert "which CI does not allow" in done.stdout
