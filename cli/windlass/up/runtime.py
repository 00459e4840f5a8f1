"""Which runtime apps get, and making this machine ready for it."""

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from windlass.provisioning.engine import Engine, ensure_engine
from windlass.provisioning.errors import (
    EngineUnavailableError,
    FirewallError,
    ProgramMissingError,
    ProvisioningError,
)
from windlass.provisioning.firewall import ensure_firewall, pool_of_projects
from windlass.provisioning.runner_images import PYTHON, ensure_runner
from windlass.provisioning.sandbox import ensure_sandbox
from windlass.up.blueprint import RuntimeChoice, RuntimePreference
from windlass.up.errors import UpError
from windlass.up.narrator import Narrator

_FOR_TRYING_OUT = "Apps run as plain processes: for trying out, with no isolation between them."


class RuntimeUnavailableError(UpError):
    """Apps cannot be run in the way that was asked for."""


def prepare_runtime(preference: RuntimePreference, narrator: Narrator) -> RuntimeChoice:
    """Return how apps run: as containers where an engine answers or can be installed, or else as processes.

    Raises:
        RuntimeUnavailableError: containers were asked for, or an image for them cannot be made.
    """
    try:
        with ProvisioningSteps(narrator) as steps:
            if preference == "process":
                return _processes("As asked for, now or at an earlier start (--runtime changes it).", steps)
            try:
                engine = ensure_engine(steps)
                ensure_runner(PYTHON, engine, steps)
            except EngineUnavailableError as error:
                if preference == "docker":
                    raise
                return _processes(str(error), steps)
            return RuntimeChoice("docker", _close_ways(engine, narrator))
    except ProvisioningError as error:
        raise RuntimeUnavailableError(error.what, error.remedy) from error


def _close_ways(engine: Engine, narrator: Narrator) -> str:
    """Set the firewall's rules, at each start: a reboot forgets them. Return what to say where that is not to be had.

    That stops nothing: where the rules are missing, `windlass doctor` goes on saying so.
    """
    if not engine.is_here:
        return ""
    try:
        with ProvisioningSteps(narrator) as steps:
            ensure_firewall(pool_of_projects(), steps)
    except FirewallError as error:
        return f"Apps may reach this machine's cloud metadata. {error}"
    return ""


def _processes(why: str, steps: "ProvisioningSteps") -> RuntimeChoice:
    try:
        ensure_sandbox(steps)
    except ProgramMissingError as error:
        return RuntimeChoice("process", f"{why} {_FOR_TRYING_OUT} Not even bubblewrap separates them: {error.what}")
    return RuntimeChoice("process", f"{why} {_FOR_TRYING_OUT}")


class ProvisioningSteps:
    """Shows what provisioning reports as steps; the one that fails is shown as such when the block ends."""

    def __init__(self, narrator: Narrator) -> None:
        self._narrator = narrator
        self._running: AbstractContextManager[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._running is not None:
            self._running.__exit__(kind, error, traceback)

    def begin(self, step: str) -> None:
        self._running = self._narrator.step(step)
        self._running.__enter__()

    def say(self, line: str) -> None:
        """Leave it out: a failing step's error repeats what matters."""

    def end(self) -> None:
        if self._running is not None:
            self._running.__exit__(None, None, None)
            self._running = None
