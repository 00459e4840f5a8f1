"""What came of one probe, and what it means for the project's idea of healthy."""

from dataclasses import dataclass
from typing import TypeGuard, assert_never

from windlass_contracts.config import CommandProbe, HttpProbe, Probe, TcpProbe


@dataclass(frozen=True, slots=True)
class Answered:
    """An HTTP status came back."""

    status: int
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Connected:
    """The port took a connection."""

    duration_ms: int


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The command ended with 0."""

    duration_ms: int


@dataclass(frozen=True, slots=True)
class NotListening:
    """Nobody listens on the port: the connection was refused."""


@dataclass(frozen=True, slots=True)
class Unreachable:
    """The address itself does not answer."""


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The port is open, but nothing came back in time; or the command did not end in time."""


@dataclass(frozen=True, slots=True)
class NotHttp:
    """The connection was closed without an answer, or the answer is not HTTP."""


@dataclass(frozen=True, slots=True)
class ExitedWith:
    """The command ended with another code than 0."""

    code: int


@dataclass(frozen=True, slots=True)
class NotRun:
    """No command can be run in the container: it does not run."""


@dataclass(frozen=True, slots=True)
class EngineAway:
    """Nobody knows, for the engine that would run the command does not answer."""


@dataclass(frozen=True, slots=True)
class Unsupported:
    """This release cannot run a probe of this kind."""


Success = Answered | Connected | Succeeded
Outcome = Success | NotListening | Unreachable | NoAnswer | NotHttp | ExitedWith | NotRun | EngineAway | Unsupported


def is_good(outcome: Outcome, probe: Probe) -> TypeGuard[Success]:
    """Say whether the outcome is what the project asks for."""
    match probe:
        case HttpProbe(status_min=lowest, status_max=highest):
            return isinstance(outcome, Answered) and lowest <= outcome.status <= highest
        case TcpProbe():
            return isinstance(outcome, Connected)
        case CommandProbe():
            return isinstance(outcome, Succeeded)
        case _:
            assert_never(probe)


def is_closed(outcome: Outcome) -> bool:
    """Say whether there was nobody who could have answered."""
    return isinstance(outcome, NotListening | Unreachable | NotRun | EngineAway)
