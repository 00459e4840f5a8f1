"""Prepares runners by their names: `python -m windlass.provisioning.runners node static`."""

import sys
from collections.abc import Sequence

from windlass.provisioning.engine import find_engine
from windlass.provisioning.errors import ProvisioningError
from windlass.provisioning.runner_images import RUNNERS, ensure_runner


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
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
