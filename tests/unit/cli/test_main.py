"""The list of commands is shown without importing them, and every one of them exists."""

import subprocess
import sys

import pytest

from windlass.lazy import _loaded
from windlass.main import _COMMANDS

HEAVY = ("httpx", "pydantic", "windlass.up.command", "windlass.commands.deploy", "asyncpg")


def test_the_list_of_commands_imports_none_of_them() -> None:
    script = f"""
import sys
from windlass.main import windlass
windlass.main(["--help"], standalone_mode=False)
print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert all(name in done.stdout for name in _COMMANDS)


@pytest.mark.parametrize("name", sorted(_COMMANDS))
def test_every_command_in_the_list_exists(name: str) -> None:
    assert _loaded(name, _COMMANDS[name]) is not None
