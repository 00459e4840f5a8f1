"""Docker objects of test sessions: every one carries its installation's label, and goes with its session."""

import fcntl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# One file for each session of this machine, locked while it lives: an unlocked one is what a killed session left.
LEDGER = Path("/tmp/windlass-test-sessions")  # noqa: S108 - names only random ids; shared by every clone on purpose


@contextmanager
def installation(installation_id: str, ledger: Path = LEDGER) -> Iterator[None]:
    """Enter the session in the ledger; at the end remove what carries its label, at the start what the dead left."""
    ledger.mkdir(exist_ok=True)
    remove_dead_sessions(ledger)
    entry = ledger / installation_id
    with entry.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
        remove_objects(installation_id)
        entry.unlink()


def remove_dead_sessions(ledger: Path) -> None:
    for entry in ledger.iterdir():
        with entry.open() as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            remove_objects(entry.name)
            entry.unlink(missing_ok=True)


def remove_objects(installation_id: str) -> None:
    """Remove containers first: they hold the networks, volumes and images."""
    label = f"label=dev.windlass.installation={installation_id}"
    for listing, removal in (
        (["ps", "--all"], ["rm", "--force", "--volumes"]),
        (["network", "ls"], ["network", "rm"]),
        (["volume", "ls"], ["volume", "rm"]),
        (["image", "ls"], ["image", "rm", "--force"]),
    ):
        found = _docker(*listing, "--quiet", "--filter", label).split()
        if found:
            _docker(*removal, *dict.fromkeys(found))


def _docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout
