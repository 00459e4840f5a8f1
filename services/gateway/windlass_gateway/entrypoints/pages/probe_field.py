"""The field of the health check: one text for the three kinds of probes."""

from typing import assert_never

from windlass_contracts.config import CommandProbe, HttpProbe, Probe, TcpProbe
from windlass_gateway.domain.refusals import InvalidInputError


def changed_probe(written: str, known: Probe) -> dict[str, object]:
    """Change what is written of a probe: a path, `tcp`, or a command; whatever else it says stays.

    Raises:
        InvalidInputError: it is none of them.
    """
    kind, _, command = written.partition(":")
    if not written or written == written_probe(known):
        return {}
    if written.startswith("/"):
        return {"probe": {**_kept(known, "http"), "kind": "http", "path": written}}
    if written == "tcp":
        return {"probe": {**_kept(known, "tcp"), "kind": "tcp"}}
    if kind == "command":
        return {"probe": {**_kept(known, "command"), "kind": "command", "command": command.strip()}}
    raise InvalidInputError(
        f"{written[:40]!r} is no health check.",
        field="probe",
        next_step="Write a path like /health, or tcp, or command: and the command that has to end with 0.",
    )


def _kept(known: Probe, kind: str) -> dict[str, object]:
    return known.model_dump() if known.kind == kind else {"timeout_ms": known.timeout_ms}


def written_probe(probe: Probe) -> str:
    """Return what the field shows of a probe."""
    match probe:
        case HttpProbe(path=path):
            return path
        case TcpProbe():
            return "tcp"
        case CommandProbe(command=command):
            return f"command: {command}"
        case _:
            assert_never(probe)
