"""Which tests may run beside one another, where pytest has several workers.

Two workers begin with what takes longest, and mostly waits: one with whole installations on the machine's Docker engine
and what counts on that engine, the other with installations whose apps are processes. Installations of one kind follow
one another; those of two kinds share neither engine nor subnets, and claim their ports. Everything else keeps together
by files, whose tests share their servers: browsers first, which take longer than the rest.
"""

from pathlib import PurePosixPath

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

_ON_THE_ENGINE = "on the engine"
_AS_PROCESSES = "as processes"
_FIRST = (_ON_THE_ENGINE, _AS_PROCESSES)
_FOLDERS = frozenset({"chaos", "e2e", "provisioning", "runtime"})
_NEED_NO_ENGINE = ("test_up_", "test_supervisor_")
_PROCESS_RUNTIME = frozenset({"process", "process_node"})
"""Parameters of the tests that run once for each runtime."""


def scope_of(nodeid: str) -> str:
    """Return what the test stays on one worker with."""
    name, _, parameters = nodeid.partition("[")
    file = PurePosixPath(name.partition("::")[0])
    if "unit" in file.parts:
        return str(file)
    if file.name.startswith(_NEED_NO_ENGINE):
        return _AS_PROCESSES
    if _FOLDERS.isdisjoint(file.parts):
        return str(file)
    return _ON_THE_ENGINE if _PROCESS_RUNTIME.isdisjoint(parameters.rstrip("]").split("-")) else _AS_PROCESSES


def _rank(item: pytest.Item) -> int:
    scope = scope_of(item.nodeid)
    if scope in _FIRST:
        return _FIRST.index(scope)
    return len(_FIRST) if "browser" in item.path.parts else len(_FIRST) + 1


class Placement(LoadScopeScheduling):  # type: ignore[misc] # the library has no types
    """Hands out whole scopes."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest."""
    items.sort(key=_rank)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Let the tests be placed as said above, whatever --dist says."""
    return Placement(config, log)
