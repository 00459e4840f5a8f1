"""Why a machine could not be made ready.

ProvisioningError
├── CommandFailedError       a program ended with an error; carries its last words
├── ProgramMissingError      a program is absent, and cannot be installed from here
├── EngineUnavailableError   no Docker engine answers and none could be started: fall back to processes, loudly
├── ImageError               an image could be neither loaded, pulled nor made
└── FirewallError            what containers must not reach could not be closed to them
"""


class ProvisioningError(Exception):
    """Something the platform needs could not be had (`what` says why); `remedy` is the way out."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what} {remedy}")
        self.what = what
        self.remedy = remedy


class CommandFailedError(ProvisioningError):
    """A program could not be started, or ended with an error."""

    def __init__(self, program: str, last_words: str) -> None:
        super().__init__(
            f"{program} failed: {last_words or 'it said nothing'}.", "Correct what it names and run again."
        )
        self.last_words = last_words


class ProgramMissingError(ProvisioningError):
    """A program is absent, and cannot be installed from here."""


class EngineUnavailableError(ProvisioningError):
    """No Docker engine answers, and none could be started."""


class ImageError(ProvisioningError):
    """An image could be neither loaded, pulled nor made."""


class FirewallError(ProvisioningError):
    """What containers must not reach could not be closed to them."""
