"""A process and everything that it started, as /proc shows it.

What is asked about may end at any moment; then it has no children, no memory and no threads, and needs no signal.
Standard library only: supervisors import this.
"""

import os
from collections.abc import Iterable, Iterator

_PAGE = os.sysconf("SC_PAGE_SIZE")
_GONE = (FileNotFoundError, ProcessLookupError)


def descendants(pid: int) -> list[int]:
    """Return all children of the process, their children, and so on; parents stand before their children."""
    found = list(children(pid))
    for parent in found:  # the list grows while it is walked
        found.extend(children(parent))
    return found


def children(pid: int) -> Iterator[int]:
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except _GONE:
        return
    for thread in threads:
        yield from map(int, _read(f"/proc/{pid}/task/{thread}/children").split())


def signal_each(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def count_threads(pids: Iterable[int]) -> int:
    return sum(int(_field(_read(f"/proc/{pid}/status"), "Threads:") or 0) for pid in pids)


def uses_more_than(pids: list[int], limit: int) -> bool:
    """Return whether the processes together have more bytes in memory than the limit.

    The cheap sum counts shared pages once per process; only where it is above the limit the exact one is made.
    """
    resident = sum(int((_read(f"/proc/{pid}/statm") or "0 0").split()[1]) for pid in pids) * _PAGE
    if resident <= limit:
        return False
    proportional = sum(int(_field(_read(f"/proc/{pid}/smaps_rollup"), "Pss:") or 0) for pid in pids)
    return proportional * 1024 > limit


def _field(text: str, name: str) -> str | None:
    for line in text.splitlines():
        if line.startswith(name):
            return line.split()[1]
    return None


def _read(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except _GONE:
        return ""
