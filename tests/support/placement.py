"""Which tests may run beside one another, where pytest has several workers.

Whole installations, and what counts on an engine of its own, follow one another on one worker, which begins with them
because they take longest. Everything else keeps together by files, whose tests share their servers.
"""

from pathlib import PurePosixPath

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

_FOLDERS = frozenset({"browser", "chaos", "e2e", "provisioning", "runtime"})
_FILES = "test_up_"


def scope_of(nodeid: str) -> str:
    """Return what the test stays on one worker with."""
    file = PurePosixPath(nodeid.partition("::")[0])
    on_the_machine = not _FOLDERS.isdisjoint(file.parts) or (file.name.startswith(_FILES) and "unit" not in file.parts)
    return "installations" if on_the_machine else str(file)


class Placement(LoadScopeScheduling):  # type: ignore[misc] # the library has no types
    """Hands out whole scopes."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with whole installations."""
    items.sort(key=lambda item: scope_of(item.nodeid) != "installations")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Let the tests be placed as said above, whatever --dist says."""
    return Placement(config, log)
