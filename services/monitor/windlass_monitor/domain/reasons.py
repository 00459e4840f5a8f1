"""Why a container did not become healthy, in a word and in a sentence: what was expected, what came, what to do."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import assert_never

from windlass_contracts.config import CommandProbe, HttpProbe, Probe
from windlass_monitor.domain.outcomes import (
    Answered,
    Connected,
    EngineAway,
    ExitedWith,
    NoAnswer,
    NotHttp,
    NotListening,
    NotRun,
    Outcome,
    Succeeded,
    Unreachable,
    Unsupported,
)

CODES: Mapping[type[Outcome], str] = MappingProxyType(
    {
        NotListening: "not-listening",
        Unreachable: "unreachable",
        NoAnswer: "no-answer",
        NotHttp: "not-http",
        Unsupported: "unsupported-probe",
        Answered: "bad-status",
        Connected: "too-few-successes",
        Succeeded: "too-few-successes",
        ExitedWith: "exited",
        NotRun: "not-run",
        EngineAway: "engine-away",
    }
)


_BRIEFLY: Mapping[str, str] = MappingProxyType(
    {
        "not-listening": "nothing listens on the port",
        "unreachable": "the address does not answer",
        "no-answer": "no answer in time",
        "not-http": "the answer is no HTTP",
        "unsupported-probe": "the runtime cannot run it",
        "bad-status": "the status of the answer is not the expected one",
        "too-few-successes": "too few good answers in a row",
        "exited": "the command does not end with 0",
        "not-run": "the command cannot be run",
        "engine-away": "the Docker engine does not answer",
    }
)


def briefly(said: str | None) -> str:
    """Return in a few words what a code says is wrong with a probe; a code that is not known yet stands for itself."""
    return "it ends again and again" if said is None else _BRIEFLY.get(said, said)


def code(outcome: Outcome) -> str:
    """Return the word that says what is wrong."""
    return CODES[type(outcome)]


def reason(outcome: Outcome, probe: Probe, port: int, waited_s: int) -> str:
    """Return the sentence for the last outcome after `waited_s` seconds of probing a port."""
    match outcome:
        case NotListening():
            return (
                f"Nothing listened on port {port} within {waited_s} s: listen on the port that the variable PORT "
                f"names, and on 0.0.0.0, for 127.0.0.1 is not reached from outside of the container."
            )
        case Unreachable():
            return f"The container's address did not answer within {waited_s} s: look at its network and its node."
        case Unsupported():
            return f"A {probe.kind} probe is not supported by this runtime: probe by http or tcp."
        case ExitedWith() | NotRun() | EngineAway() | Succeeded():
            return _of_a_command(outcome)
        case NoAnswer() if isinstance(probe, CommandProbe):
            return (
                f"The probe's command did not end within {probe.timeout_ms / 1000:g} s: let it ask less, or give the "
                f"probe a longer timeout."
            )
        case NoAnswer() | NotHttp() | Answered() | Connected():
            return _of_an_open_port(outcome, probe, port)
        case _:
            assert_never(outcome)


def _of_a_command(outcome: ExitedWith | NotRun | EngineAway | Succeeded) -> str:
    match outcome:
        case ExitedWith(code=exit_code):
            return (
                f"The probe's command ended with exit code {exit_code}, and has to end with 0 once the app is ready: "
                f"see the app's log, and try the command with `windlass run`; 126 and 127 mean that the image lacks "
                f"it, or /bin/sh, or the command timeout."
            )
        case NotRun():
            return "The probe's command could not be run, for the container did not run: look at the app's log."
        case EngineAway():
            return "The probe's command could not be run, for the Docker engine did not answer: see `windlass doctor`."
        case Succeeded():
            return "The probe's command ended with 0, but not often enough in a row."
        case _:
            assert_never(outcome)


def _of_an_open_port(outcome: Answered | Connected | NoAnswer | NotHttp, probe: Probe, port: int) -> str:
    match outcome:
        case NoAnswer():
            return (
                f"Port {port} is open, but no probe was answered within {probe.timeout_ms / 1000:g} s: look in the "
                f"app's log for what it waits for, or give the probe a longer timeout."
            )
        case NotHttp():
            return (
                f"Port {port} took the connection and closed it without an HTTP answer: probe it by tcp if the app "
                f"does not speak plain HTTP."
            )
        case Answered(status=status):
            return _of_a_status(status, probe)
        case Connected():
            return f"Port {port} took connections, but not often enough in a row."
        case _:
            assert_never(outcome)


def _of_a_status(status: int, probe: Probe) -> str:
    if not isinstance(probe, HttpProbe) or probe.status_min <= status <= probe.status_max:
        return f"The probe was answered with status {status}, but not often enough in a row."
    return (
        f"The probe was answered with status {status}, and {probe.status_min} to {probe.status_max} is expected: look "
        f"at the app's log, or set the probe's path to one that answers when the app is ready."
    )
