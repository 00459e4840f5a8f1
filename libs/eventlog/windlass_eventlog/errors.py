"""What can go wrong between a service and the log.

EventLogError
├── ConflictError            somebody else wrote first: read again, decide again
├── LogUnavailableError      the log did not answer in time; it is not known whether anything was appended
├── LogFullError             the stream's byte budget is used up: nothing more can be appended
├── StoreFullError           the object store's byte budget is used up: nothing more can be put there
├── PermissionDeniedError    the server does not let this service do that: a mistake of the installation
├── GapError                 a sequence is missing that the stream must have
├── HaltedError              a projection met what it cannot read, and stands still until an operator decides
├── NotReachedError          a projection did not reach a sequence in time
├── RowsUnavailableError     the database with the rows did not answer in time; asking again is harmless
├── RebuildRunningError      the service's rows are being rebuilt or compared already
├── ProvisioningError        the server has something that this release cannot turn into what it needs
├── NotProvisionedError      a stream, consumer or bucket is missing, or not what this release expects
├── CannotVerifyError        what has to be looked at does not answer
├── KeyTakenError            the key of a bucket exists already
├── KeyChangedError          the value of a key is another one than was expected, or is gone
├── SecretShreddedError      a value was deleted for good
├── KeysUnusableError        the file with the keys of the vault cannot be used
├── KeysChangingError        somebody else is changing the keys of the vault
├── SecretUnreadableError    a value is there, but none of the keys opens it
├── HungError                a reactor did not come back in its time
├── ProcessDiedError         the process died, again and again, while a reactor was at work
├── ReactorMissingError      this release has no reactor of that name any more
└── TryAgain                 a reactor asks to be woken up again, later
"""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

_SHOWN = 80


class EventLogError(Exception):
    """Something went wrong between a service and the log."""


class ConflictError(EventLogError):
    """Somebody else wrote to the same scope first: read again, decide again."""

    def __init__(self, scope: str, expected: int, actual: int | None) -> None:
        found = "something else" if actual is None else str(actual)
        super().__init__(f"{scope} was expected to end at sequence {expected}, but ends at {found}.")
        self.scope = scope
        self.expected = expected
        self.actual = actual


class LogUnavailableError(EventLogError):
    """The log did not answer in time; it is not known whether anything was appended."""


class LogFullError(EventLogError):
    """The stream's byte budget is used up: nothing more can be appended."""


class StoreFullError(EventLogError):
    """The object store's byte budget is used up: nothing more can be put there until something of it is deleted."""


class PermissionDeniedError(EventLogError):
    """The server does not let this service do that: a mistake of the installation."""


class GapError(EventLogError):
    """A sequence is missing that the stream must have."""


class HaltedError(EventLogError):
    """A projection met what it cannot read, and stands still until an operator decides."""

    def __init__(self, service: str, sequence: int, error: Exception, kind: str = "") -> None:
        about = f", a {kind[:_SHOWN]!r}" if kind else ""
        super().__init__(
            f"The rows of the {service} halt at sequence {sequence} of EVENTS{about}: {type(error).__name__}: {error}"
        )
        self.service = service
        self.sequence = sequence
        self.foreign = isinstance(error, GapError)
        """Whether it is no event that halts the rows, but that they are another log's."""

    @property
    def way_out(self) -> str:
        """What an operator can do about it."""
        if self.foreign:
            return (
                "Restore the log that they were read from, by `windlass restore-events` where it is lost; or build them"
                f" anew from the one that is there: `windlass rebuild {self.service}`."
            )
        return (
            "Upgrade to a release that can read it; or let it be passed over:"
            f" `windlass quarantine {self.service} {self.sequence} --reason TEXT`."
        )


class NotReachedError(EventLogError):
    """A projection did not reach a sequence in time."""


class RowsUnavailableError(EventLogError):
    """The database with the rows did not answer in time; asking again is harmless."""


class RebuildRunningError(EventLogError):
    """The service's rows are being rebuilt or compared already, by this process or another one."""

    def __init__(self, service: str) -> None:
        super().__init__(f"The rows of the {service} are being rebuilt or compared already: wait until that is done.")


class RecordsMismatchError(EventLogError):
    """The record tables were changed by statements that this release does not know."""

    def __init__(self, schema: str) -> None:
        super().__init__(
            f"The tables of {schema} were made by another release, most likely a newer one:"
            " use that one, or restore the database from before it."
        )


class ProvisioningError(EventLogError):
    """The server has something that this release cannot turn into what it needs; nothing of it was changed."""


class NotProvisionedError(EventLogError):
    """A stream, consumer or bucket is missing, or not what this release expects."""


class CannotVerifyError(EventLogError):
    """What has to be looked at does not answer: nothing can be said of it, neither good nor bad."""


class KeyTakenError(EventLogError):
    """The key of a bucket exists already."""


class KeyChangedError(EventLogError):
    """The value of a key is another one than was expected, or is gone."""


class SecretShreddedError(EventLogError):
    """A value was deleted for good."""

    def __init__(self, secret: UUID) -> None:
        super().__init__(f"The value {secret} was deleted for good: set the variable anew.")
        self.secret = secret


class KeysUnusableError(EventLogError):
    """The file with the keys of the vault cannot be used."""

    def __init__(self, keys_file: Path, why: str, next_step: str = "Restore it from a backup.") -> None:
        self.detail = f"The keys file {keys_file} cannot be used: {why}."
        self.next_step = next_step
        super().__init__(f"{self.detail} {next_step}")


class KeysChangingError(EventLogError):
    """Somebody else is changing the keys of the vault."""

    def __init__(self, keys_file: Path) -> None:
        super().__init__(f"The keys in {keys_file} are being rotated already.")


class SecretUnreadableError(EventLogError):
    """A value is there, but none of the keys opens it."""

    def __init__(self, secret: UUID) -> None:
        super().__init__(f"None of the installation's keys opens the value {secret}: restore the missing key.")
        self.secret = secret


class HungError(EventLogError):
    """A reactor did not come back in its time."""

    def __init__(self, reactor: str, within: timedelta) -> None:
        super().__init__(f"The reactor {reactor} was not back after {within}, and was broken off.")


class ProcessDiedError(EventLogError):
    """The process died, again and again, while a reactor was at work."""

    def __init__(self, reactor: str, deaths: int) -> None:
        super().__init__(f"The process died {deaths} times while the reactor {reactor} was at work.")
        self.deaths = deaths


class ReactorMissingError(EventLogError):
    """This release has no reactor of that name any more."""

    def __init__(self, reactor: str) -> None:
        super().__init__(f"This release has no reactor {reactor}: discard the dead letter.")


class TryAgain(EventLogError):  # noqa: N818 - a request, not a failure
    """A reactor asks to be woken up again, later."""

    def __init__(self, after: timedelta, why: str) -> None:
        super().__init__(why)
        self.after = after


AWAY = (LogUnavailableError, LogFullError, RowsUnavailableError, NotReachedError, HaltedError)
"""What passes by itself, or by an operator's hand: whoever waits a while and goes on loses nothing."""
