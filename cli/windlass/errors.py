"""Everything that ends a command: a sentence that says what happened, and one that says what to do.

CommandError                 exit code
├── NotConfiguredError       2: nobody said which installation is meant
├── UnreachableError         2: nothing answers there
│   └── UnansweredError      2: it was sent, and the answer did not come
├── UnknownOutcomeError      2: it is not known whether a request was accepted
├── OutOfSightError          2: it was accepted, and it is not known how far it is
├── WrongTokenError          2: it does not know the token
├── NotWindlassError         2: something answers there, but not Windlass
├── RefusedError             1: it refuses the request
├── BadInputError            1: what was given on the command line cannot be used
└── InterruptedStreamError   1: a stream broke off
"""


class CommandError(Exception):
    """What happened, and what to do about it."""

    exit_code = 1

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


class NotConfiguredError(CommandError):
    """Nobody said which installation is meant, or with which token."""

    exit_code = 2


class UnreachableError(CommandError):
    """Nothing answers there."""

    exit_code = 2

    def __init__(self, url: str, why: str) -> None:
        super().__init__(
            f"Windlass does not answer at {url}: {why}.",
            "Start it with `windlass up`, or set WINDLASS_URL to where it runs.",
        )


class UnansweredError(UnreachableError):
    """A request was sent, and the answer did not come: whether it was taken is not known."""


class UnknownOutcomeError(CommandError):
    """Nobody answers any more to whom a request was sent."""

    exit_code = 2

    def __init__(self, what: str, error: CommandError, find_out: str) -> None:
        super().__init__(
            f"It is not known whether {what} was accepted: {error.what}",
            f"Once Windlass answers again, `{find_out}` shows whether it was; if not, ask once more.",
        )


class OutOfSightError(CommandError):
    """What was accepted goes on, and nobody tells how far it is."""

    exit_code = 2

    def __init__(self, what: str, error: CommandError, find_out: str) -> None:
        super().__init__(
            f"{what[:1].upper()}{what[1:]} was accepted and goes on; how far it is, is not known: {error.what}",
            f"Once Windlass answers again, `{find_out}` shows it. Nothing has to be asked for again.",
        )


class WrongTokenError(CommandError):
    """The installation does not know the token."""

    exit_code = 2

    def __init__(self, url: str, detail: str) -> None:
        super().__init__(
            f"Windlass at {url} does not let you in: {detail}",
            "`windlass up` writes the token to .windlass/cli.json and to this command's configuration; "
            "WINDLASS_TOKEN wins over both.",
        )


class NotWindlassError(CommandError):
    """Something answers there, but not Windlass."""

    exit_code = 2

    def __init__(self, url: str) -> None:
        super().__init__(f"What answers at {url} is not Windlass.", "Check WINDLASS_URL, or unset it.")


class RefusedError(CommandError):
    """The installation refuses the request, and says why."""

    def __init__(self, status: int, detail: str, remedy: str) -> None:
        super().__init__(detail, remedy)
        self.status = status


class BadInputError(CommandError):
    """What was given on the command line cannot be used."""


class InterruptedStreamError(CommandError):
    """A stream broke off before its end."""
