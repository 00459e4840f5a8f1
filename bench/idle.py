"""What an installation that has nothing to do uses: memory (PSS, so that shared pages count once) and CPU.

Prints one JSON object: total_mib, cpu_percent (of one core, over 20 s) and processes (PSS in MiB by name).
"""

import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import psutil

from support.platform import Platform
from support.ports import free_port

SETTLE_S = 20
WATCH_S = 20
KIB_PER_MIB = 1024


def pss_mib(pid: int) -> float:
    """Return the proportional set size of a process. Source: proc_pid_smaps(5)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / KIB_PER_MIB
    return 0.0


def cpu_seconds(processes: list[psutil.Process]) -> float:
    """Return the CPU time that the processes have used so far, in user mode and in the kernel."""
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="windlass-bench-") as folder:
        home = Path(folder) / "home"
        with Platform(home, free_port(), os.environ.get("RUNTIME", "docker")) as platform:
            time.sleep(SETTLE_S)
            processes = [psutil.Process(platform.pid), *psutil.Process(platform.pid).children(recursive=True)]
            before, began = cpu_seconds(processes), time.monotonic()
            time.sleep(WATCH_S)
            percent = 100 * (cpu_seconds(processes) - before) / (time.monotonic() - began)
            by_name: defaultdict[str, float] = defaultdict(float)
            for process in processes:
                by_name[process.name()] += pss_mib(process.pid)
    print(
        json.dumps(
            {
                "total_mib": round(sum(by_name.values()), 1),
                "cpu_percent": round(percent, 2),
                "processes": {name: round(mib, 1) for name, mib in sorted(by_name.items())},
            }
        )
    )


if __name__ == "__main__":
    main()
