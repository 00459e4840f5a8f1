"""Versions share an environment's requests by steps or by hand, whoever changes their mind or dies meanwhile."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from support.simulation.exploring import quiet, run
from support.simulation.history import History
from support.simulation.strategies import histories, sharing


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with quiet():
        yield tmp_path_factory.mktemp("simulated")


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(history=histories(sharing))
def test_every_history_of_weights_ends_as_it_should(scratch: Path, history: History) -> None:
    run(history, scratch)
