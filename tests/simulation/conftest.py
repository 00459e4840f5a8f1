"""Where simulated installations keep their files."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.simulation.exploring import quiet


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with quiet():
        yield tmp_path_factory.mktemp("simulated")
