"""What rows are made of leaves nothing to chance: the same events make the same rows, in whichever process."""

from types import ModuleType

import pytest

from windlass_builder.application import projections as builder
from windlass_eventlog.projection import Projection
from windlass_gateway.application import projections as gateway
from windlass_logs.application import projections as logs
from windlass_monitor.application import projections as monitor
from windlass_router.application import projections as router


@pytest.mark.parametrize("module", [builder, gateway, logs, monitor, router])
def test_no_row_holds_a_set(module: ModuleType) -> None:
    """A set is written in an order that differs from process to process: no rebuild would equal the live rows."""
    projections = [value for value in vars(module).values() if isinstance(value, Projection)]
    assert projections
    for projection in projections:
        schema = str(projection.row.model_json_schema(mode="serialization"))
        assert "uniqueItems" not in schema, projection.name
