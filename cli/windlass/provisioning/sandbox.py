"""bubblewrap, which keeps apps that run as plain processes apart a little."""

from pathlib import Path

from windlass.provisioning.commands import output_of
from windlass.provisioning.errors import CommandFailedError, ProgramMissingError
from windlass.provisioning.packages import Program, ensure_program
from windlass.provisioning.progress import Progress

BUBBLEWRAP = Program("bubblewrap", ["bwrap"], ["bubblewrap"])


def ensure_sandbox(progress: Progress) -> Path:
    """Return a bubblewrap that works here.

    Raises:
        ProgramMissingError: it is absent, or this machine's kernel does not let it make namespaces. Apps can run
            without it; say so loudly.
    """
    path = ensure_program(BUBBLEWRAP, progress)
    try:
        output_of([str(path), "--unshare-user", "--unshare-pid", "--ro-bind", "/", "/", "true"], seconds=10)
    except CommandFailedError as error:
        raise ProgramMissingError(
            f"bubblewrap is installed but does not work here: {error.last_words}",
            "Allow user namespaces (sysctl kernel.unprivileged_userns_clone=1).",
        ) from error
    return path
