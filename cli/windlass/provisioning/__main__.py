"""Makes this machine ready for the whole test suite: `python -m windlass.provisioning`.

What cannot be had is said and left out: the tests that need it then say that they were skipped, and why.
"""

import time
from collections.abc import Callable

from rich.console import Console

from windlass.provisioning.browser import ensure_browser
from windlass.provisioning.buildx import ensure_buildx
from windlass.provisioning.engine import ensure_engine
from windlass.provisioning.errors import ProvisioningError
from windlass.provisioning.firewall import ensure_firewall, pool_of_projects
from windlass.provisioning.node import ensure_node
from windlass.provisioning.progress import Progress
from windlass.provisioning.registry import ensure_registry
from windlass.provisioning.runner_images import RUNNERS, ensure_runner
from windlass.provisioning.sandbox import ensure_sandbox
from windlass.provisioning.sources import ensure_git_lfs, ensure_ssh_client, ensure_ssh_server


class PlainProgress:
    """One line for each step and its time; what a step says only if it goes wrong, which its error repeats."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begun = 0.0

    def begin(self, step: str) -> None:
        self._begun = time.monotonic()
        self._console.print(f"{step} ...", highlight=False)

    def say(self, line: str) -> None:
        pass

    def end(self) -> None:
        self._console.print(f"  done in {time.monotonic() - self._begun:.1f} s", highlight=False)


def _runners(progress: Progress) -> str:
    engine = ensure_engine(progress)
    return ", ".join(ensure_runner(runner, engine, progress).tag for runner in RUNNERS.values())


def _firewall(progress: Progress) -> str:
    ensure_firewall(pool_of_projects(), progress)
    return "rules are set"


NEEDS: dict[str, Callable[[Progress], object]] = {
    "runner images": _runners,
    "firewall": _firewall,
    "buildx": ensure_buildx,
    "registry": ensure_registry,
    "bubblewrap": ensure_sandbox,
    "node": ensure_node,
    "ssh": ensure_ssh_client,
    "ssh server": ensure_ssh_server,
    "git-lfs": ensure_git_lfs,
    "browser": ensure_browser,
}


def main() -> None:
    console = Console(stderr=True)
    for name, ensure in NEEDS.items():
        try:
            console.print(f"{name}: {ensure(PlainProgress(console))}", highlight=False)
        except ProvisioningError as error:
            console.print(f"{name}: not available. {error}", style="yellow", highlight=False)


if __name__ == "__main__":
    main()
