"""Histories of a whole installation, run until they find something: nothing, if all is well.

The histories are divided among as many processes as there are cores; each is made by its number. Afterwards
five bugs are planted one by one, and histories are run until each of them is found.

Prints one JSON object:
- `histories`: how many were run on what is there; `per_s`: how many of them a second, all processes together;
- `failures`: histories that violate an invariant; each is told on standard error;
- `planted_bugs_found`: of the five, those that were found within 1,000 histories.
"""

import json
import os
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from time import monotonic

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from support.simulation.exploring import Explored, explore
from support.simulation.planted import BUGS

QUICK = bool(os.environ.get("QUICK"))
HISTORIES = 600 if QUICK else 2_000
SHARE = 50
"""How many histories a process runs at once."""


def share(number: int) -> Explored:
    """Run one share of the histories on what is there."""
    with tempfile.TemporaryDirectory(prefix="windlass-bench-") as folder:
        return explore(Path(folder), range(number * SHARE, (number + 1) * SHARE))


def hunt(number: int) -> Explored:
    """Run histories until one of the planted bugs is found."""
    with tempfile.TemporaryDirectory(prefix="windlass-bench-") as folder:
        return explore(Path(folder), BUGS[number].hunted_in, bug=BUGS[number])


def main() -> None:
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("fork")) as processes:
        began = monotonic()
        shares = list(processes.map(share, range(HISTORIES // SHARE)))
        took = monotonic() - began
        hunts = list(processes.map(hunt, range(len(BUGS))))
    failures = [one.found for one in shares if one.found]
    for failure in failures:
        print(failure, file=sys.stderr)
    for bug, found in zip(BUGS, hunts, strict=True):
        said = (found.found or "not found").splitlines()[0]
        print(f"{bug.name}: {said}, after {found.histories} histories", file=sys.stderr)
    histories = sum(one.histories for one in shares)
    print(
        json.dumps(
            {
                "histories": histories,
                "per_s": round(histories / took, 1),
                "failures": len(failures),
                "planted_bugs_found": sum(one.found is not None for one in hunts),
            }
        )
    )


if __name__ == "__main__":
    main()
