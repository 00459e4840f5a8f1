"""How the apps of an installation run: chosen at its first start, and kept until somebody asks for another way."""

from windlass.up.atomic_file import write_private
from windlass.up.blueprint import Runtime
from windlass.up.home import Home


def remembered_runtime(home: Home) -> Runtime | None:
    """Return the runtime of the last start; none before the first one."""
    try:
        word = home.runtime.read_text()
    except FileNotFoundError:
        return None
    # Anything else can only have been written by hand: then it is chosen anew.
    return "docker" if word == "docker" else "process" if word == "process" else None


def remember_runtime(home: Home, runtime: Runtime) -> None:
    write_private(home.runtime, runtime)
