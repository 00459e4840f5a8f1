"""Prepares runners, and what some sources need: `python -m windlass.provisioning.runners node static`."""

import sys
from collections.abc import Sequence

from windlass.provisioning.buildx import ensure_buildx
from windlass.provisioning.engine import find_engine
from windlass.provisioning.errors import ProvisioningError
from windlass.provisioning.packages import may_install
from windlass.provisioning.progress import Progress
from windlass.provisioning.runner_images import RUNNERS, ensure_runner
from windlass.provisioning.sources import ensure_git_lfs, ensure_ssh_client


class StepsAsLines:
    """A line for each step that takes time; where all is there, nothing is said."""

    def begin(self, step: str) -> None:
        print(f"{step}; apps that need it wait.", flush=True)  # noqa: T201 - standard output is what this is for

    def say(self, line: str) -> None:
        """Leave it out: a failing step's error repeats what matters."""

    def end(self) -> None:
        """Say nothing: the next step says enough."""


def main(names: Sequence[str]) -> int:
    """Return 1 where some could not be prepared; the others are."""
    try:
        engine = find_engine()
    except ProvisioningError as error:
        sys.stdout.write(f"{error}\n")
        return 1
    failed = 0
    for name in names:
        try:
            ensure_runner(RUNNERS[name], engine, StepsAsLines())
        except ProvisioningError as error:
            sys.stdout.write(f"{error}\n")
            failed = 1
    return 1 if install_programs(StepsAsLines()) else failed


def install_programs(progress: Progress) -> bool:
    """Install what some sources are fetched and built with, where that is ours; elsewhere a deployment says so.

    Return whether something could not be installed.
    """
    failed = False
    for ensure in (ensure_ssh_client, ensure_git_lfs, ensure_buildx) if may_install() else ():
        try:
            ensure(progress)
        except ProvisioningError as error:
            sys.stdout.write(f"{error}\n")
            failed = True
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
