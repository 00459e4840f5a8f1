"""Which tests may run beside one another, where pytest has several workers.

Whole installations have a machine to themselves as far as tests go: they follow one another on one worker, which begins
with them because they take longest. Everything else keeps together by files, whose tests share their servers.
"""

import pytest

_FOLDERS = frozenset({"browser", "chaos", "e2e", "provisioning"})
_FILES = "test_up_"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every test its group, those of whole installations first."""
    items.sort(key=lambda item: not _needs_the_machine(item))
    for item in items:
        group = "installations" if _needs_the_machine(item) else item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group(group))


def _needs_the_machine(item: pytest.Item) -> bool:
    return not _FOLDERS.isdisjoint(item.path.parts) or item.path.name.startswith(_FILES)
