"""The fields of a configuration in words: what each is called, and its value with a unit that people use."""

from collections.abc import Callable, Mapping

from windlass_contracts.config import MIB

_DETECTED = "detected"
_UNITS: Mapping[str, Callable[[int], str]] = {
    "_bytes": lambda value: f"{value // MIB:,} MiB",
    "_millis": lambda value: f"{value / 1_000:g} cores",
    "_ms": lambda value: f"{value:,} ms",
    "_s": lambda value: f"{value:,} s",
}


def setting_name(path: str) -> str:
    """Return what a field is called: `limits.memory_bytes` is `limits, memory`."""
    suffix = _suffix(path) or ""
    return path.removesuffix(suffix).replace("_", " ").replace(".", ", ")


def setting_value(value: object, path: str) -> str:
    """Return the value of a field; nothing stands for what is found out at each deployment."""
    if value is None:
        return _DETECTED
    if isinstance(value, list | tuple):
        return ", ".join(map(_one, value)) or "none"
    suffix = _suffix(path)
    return str(value) if suffix is None or not isinstance(value, int) else _UNITS[suffix](value)


def _one(value: object) -> str:
    """Return one of several: a volume is a name and the path that it is mounted at."""
    return " at ".join(map(str, value.values())) if isinstance(value, Mapping) else str(value)


def _suffix(path: str) -> str | None:
    return next((suffix for suffix in _UNITS if path.endswith(suffix)), None)
