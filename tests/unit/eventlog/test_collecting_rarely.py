"""The collector's threshold during a rebuild: put back, however that ends."""

import gc
from contextlib import suppress

from windlass_eventlog.postgres.filling import _collecting_rarely


def test_the_collector_looks_as_often_as_before_once_a_rebuild_failed() -> None:
    before = gc.get_threshold()

    with suppress(LookupError), _collecting_rarely():
        during = gc.get_threshold()
        raise LookupError

    assert during[0] > before[0]
    assert gc.get_threshold() == before
