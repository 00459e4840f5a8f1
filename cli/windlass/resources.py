"""Where the files that are not Python lie: in the checkout while developing, inside the package once installed."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parents[1]


def infra() -> Path:
    """Return the folder of Dockerfiles and server configurations."""
    return _located("infra")


def examples() -> Path:
    """Return the folder of example apps."""
    return _located("examples")


def _located(name: str) -> Path:
    installed = _PACKAGE / f"_{name}"
    return installed if installed.is_dir() else _CHECKOUT / name
