"""Tests of one kind of installation follow one another; all others run beside them, file by file."""

import pytest

from support.placement import scope_of


@pytest.mark.parametrize(
    ("nodeid", "scope"),
    [
        ("tests/e2e/test_deploying.py::test_it[docker]", "on the engine"),
        ("tests/e2e/test_deploying.py::test_it[process-fails-in-build]", "as processes"),
        ("tests/e2e/test_deploying.py::test_it", "on the engine"),
        ("tests/chaos/test_kill_matrix.py::test_it[NATS at before_ack:health.passed.v1-process]", "as processes"),
        ("tests/integration/runtime/test_builds.py::test_it[process_node]", "as processes"),
        ("tests/integration/runtime/test_docker.py::test_it", "on the engine"),
        ("tests/integration/test_up_state.py::test_it[[]]", "as processes"),
        ("tests/chaos/test_supervisor_kills.py::test_it[postgres-PostgreSQL]", "as processes"),
        ("tests/browser/test_every_page.py::test_it[/events]", "tests/browser/test_every_page.py"),
        ("tests/unit/provisioning/test_it.py::test_it[process]", "tests/unit/provisioning/test_it.py"),
    ],
)
def test_installations_of_one_kind_share_a_worker(nodeid: str, scope: str) -> None:
    assert scope_of(nodeid) == scope
