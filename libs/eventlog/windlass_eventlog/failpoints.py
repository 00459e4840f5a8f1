"""Named points in a service's way at which a kill test ends a process, exactly there and once.

They are off, and a point costs one comparison, unless the environment of the supervisor names a folder in
`WINDLASS_FAILPOINTS`. In that folder lie

- `armed.json`: the one point that is armed, as `Armed`; a test writes it elsewhere and renames it here, whenever it
  wants to, without a restart;
- `disarmed-<token>.json`: the same file, renamed before the kill: of all processes that come by, one takes it, and what
  was killed goes on when it is started again;
- `reached.jsonl`: every point that was reached, as `Reached`, one a line. From a first run without a kill a test learns
  which points there are; `sequence` says for an append which place in the log was acknowledged.

A point is called `<moment>:<detail>`; for appends and acknowledgements the detail is the type of the event.
"""

import json
import os
import select
import signal
from dataclasses import asdict, dataclass
from pathlib import Path

VARIABLE = "WINDLASS_FAILPOINTS"
_DEAD_WITHIN_S = 10.0
_PRIVATE = 0o600


@dataclass(frozen=True, slots=True)
class Armed:
    """Where to kill: the first process of `service` that comes to `point` kills `process`, itself where there is none.

    `token` names the file that is left behind.
    """

    service: str
    point: str
    token: str
    process: int | None = None


@dataclass(frozen=True, slots=True)
class Reached:
    """A point that a service came to; `sequence` is where the log has, or had, the event that it was about."""

    service: str
    point: str
    sequence: int | None


class FailpointError(Exception):
    """The folder or the file with the armed point cannot be used; it is a test's, so that it may fail loudly."""


@dataclass(frozen=True, slots=True)
class Failpoints:
    """The points of one service, switched on."""

    folder: Path
    service: str

    def reach(self, point: str, sequence: int | None) -> None:
        """Note that the point was reached, and kill if it is the one that is armed.

        Raises:
            FailpointError: what is armed cannot be read, or the process to kill does not end.
        """
        self._note(Reached(self.service, point, sequence))
        armed = self._armed()
        if armed is not None and (armed.service, armed.point) == (self.service, point) and self._disarm(armed):
            _kill(os.getpid() if armed.process is None else armed.process)

    def awaits(self, point: str) -> bool:
        """Tell whether this point is armed for this service now."""
        armed = self._armed()
        return armed is not None and (armed.service, armed.point) == (self.service, point)

    def _note(self, reached: Reached) -> None:
        line = json.dumps(asdict(reached)).encode() + b"\n"
        descriptor = os.open(self.folder / "reached.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, _PRIVATE)
        try:
            os.write(descriptor, line)  # one write: the lines of several processes do not mix
        finally:
            os.close(descriptor)

    def _armed(self) -> Armed | None:
        try:
            return Armed(**json.loads((self.folder / "armed.json").read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise FailpointError(f"{self.folder / 'armed.json'} cannot be used: {error}") from error

    def _disarm(self, armed: Armed) -> bool:
        """Take the point, durably; False where another process took it first."""
        try:
            (self.folder / "armed.json").rename(self.folder / f"disarmed-{armed.token}.json")
        except FileNotFoundError:
            return False
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return True


class _Switch:
    """What this process's points do: nothing, as long as nobody switched them on."""

    on: Failpoints | None = None


def switch_on(service: str) -> None:
    """Take the folder from the environment, if one is named there; called once in a process, before any point.

    Raises:
        FailpointError: it is no folder.
    """
    named = os.environ.get(VARIABLE)
    if not named:
        _Switch.on = None
        return
    if not Path(named).is_dir():
        raise FailpointError(f"{VARIABLE} names {named}, which is no folder: make it, or leave the variable out.")
    _Switch.on = Failpoints(Path(named), service)


def reach(moment: str, detail: str, sequence: int | None = None) -> None:
    """Say that this process is at a point of its way; it may be the last thing that it does."""
    if _Switch.on is not None:
        _Switch.on.reach(f"{moment}:{detail}", sequence)


def awaits(moment: str, detail: str) -> bool:
    """Tell whether a point is armed: what makes it exact, and costs time, is done for nobody else."""
    return _Switch.on is not None and _Switch.on.awaits(f"{moment}:{detail}")


def _kill(process: int) -> None:
    """Kill, and return once the process has ended; never where it is this one.

    Raises:
        FailpointError: it does not end.
    """
    if process <= 1:
        raise FailpointError(f"Process {process} is nobody's to kill.")
    try:
        descriptor = os.pidfd_open(process)
    except ProcessLookupError:
        return
    try:
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        if not select.select([descriptor], [], [], _DEAD_WITHIN_S)[0]:
            raise FailpointError(f"Process {process} did not end within {_DEAD_WITHIN_S:.0f} s.")
    finally:
        os.close(descriptor)
