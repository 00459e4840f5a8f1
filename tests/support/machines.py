"""A private machine with a whole installation on it, which lives and dies with it."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from support.private_machine import PrivateMachine
from windlass.provisioning.engine import Engine


@pytest.fixture
def machine(docker_engine: Engine, runner_images: Mapping[str, str]) -> Iterator[PrivateMachine]:
    """Yield a machine of one's own that is off; its engine has all runners."""
    folder = Path(tempfile.mkdtemp(prefix="wl-"))  # short, for there is a socket in it
    machine = PrivateMachine(folder)
    for tag in runner_images.values():
        machine.take_image(docker_engine, tag)
    try:
        yield machine
    finally:
        machine.power_off()
        shutil.rmtree(folder)
