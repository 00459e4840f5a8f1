"""Everything that can keep an installation from running; the command's `main` alone turns it into output."""

from pathlib import Path

from windlass.errors import CommandError


class UpError(CommandError):
    """What happened, and what the person at the terminal can do about it."""

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}"


class AlreadyRunningError(UpError):
    """Another `windlass up` holds this state folder."""


class NotRunningError(UpError):
    """There is no `windlass up` to stop."""


class StateError(UpError):
    """The state folder cannot be used as it is."""


class PortError(UpError):
    """A port cannot be listened on."""


class ProgramMissingError(UpError):
    """A server that `windlass up` starts is not installed."""


class IdentityError(UpError):
    """PostgreSQL, which refuses to run as root, cannot be given another user here."""


class StartError(UpError):
    """A supervised process did not become ready."""

    @classmethod
    def of(cls, name: str, reason: str, log: Path) -> "StartError":
        """Say why the process called `name` did not start, and where it says more."""
        return cls(f"{name} did not start: {reason}.", f"Read {log}, then run `windlass up` again.")
