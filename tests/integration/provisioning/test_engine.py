"""Finding and starting a Docker engine, and saying why there is none."""

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from windlass.provisioning.daemon import start_daemon
from windlass.provisioning.docker import Docker
from windlass.provisioning.engine import Engine, ensure_engine, find_engine
from windlass.provisioning.errors import EngineUnavailableError
from windlass.provisioning.progress import Silence
from windlass.provisioning.runner_images import PYTHON, ensure_runner

READY = """
import os, socket
print("up", flush=True)
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
"""


class Steps(Silence):
    def __init__(self) -> None:
        self.begun: list[str] = []

    def begin(self, step: str) -> None:
        self.begun.append(step)


def test_engine_named_by_docker_host_is_never_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    with pytest.raises(EngineUnavailableError, match=r"No Docker engine answers at unix://.*DOCKER_HOST"):
        ensure_engine(Silence())


def test_engine_without_the_docker_command_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(EngineUnavailableError, match=r"The docker command is missing\."):
        find_engine()


def test_daemon_that_cannot_start_says_its_own_reason(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailableError, match=r"did not start: begun operation not permitted"):
        start_daemon(["sh", "-c", "echo begun; echo operation not permitted >&2; exit 1"], tmp_path / "log")


def test_daemon_that_stays_silent_is_ended(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailableError, match="it said nothing"):
        start_daemon(["sleep", "1000"], tmp_path / "log", seconds=0.1)


def test_daemon_is_awaited_until_it_says_ready(tmp_path: Path) -> None:
    start_daemon([sys.executable, "-c", READY], tmp_path / "log")
    assert (tmp_path / "log").read_text() == "up\n"


@dataclass
class SecondEngine:
    """An engine of this test's own, empty, beside the machine's."""

    engine: Engine
    folder: Path


@pytest.fixture
def second_engine(docker_engine: Engine) -> Iterator[SecondEngine]:
    if os.geteuid() != 0:
        pytest.skip("only root can start a Docker engine")
    # A short path: it ends in a socket. Not under pytest's folder, which pytest would search for what it may delete.
    folder = Path(tempfile.mkdtemp(prefix="wl-engine-"))
    url = f"unix://{folder}/docker.sock"
    own = ("--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid")
    # A network namespace of its own: an engine deletes or takes over a bridge docker0 that it finds.
    start_daemon(["unshare", "--net", "dockerd", "--host", url, *own], folder / "log")
    yield SecondEngine(Engine(url, docker_engine.version), folder)
    pid = int((folder / "pid").read_text())
    os.kill(pid, signal.SIGTERM)
    os.waitpid(pid, 0)
    shutil.rmtree(folder)


@pytest.mark.docker
@pytest.mark.usefixtures("runner_image")
def test_emptied_engine_gets_the_runner_image_back_from_the_archive(second_engine: SecondEngine) -> None:
    steps = Steps()
    image = ensure_runner(PYTHON, second_engine.engine, steps)
    assert Docker(second_engine.engine).has(image)
    assert [step.split()[0] for step in steps.begun] == ["Loading"]
    steps.begun.clear()
    assert ensure_runner(PYTHON, second_engine.engine, steps) == image
    assert steps.begun == []
