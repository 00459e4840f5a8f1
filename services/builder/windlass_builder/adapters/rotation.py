"""Numbers handed out in turn, so that one that was used a moment ago comes back as late as possible."""

import fcntl
import json
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path


class Rotation:
    """Hands out numbers from a range in turn, by key, and remembers the last one of each key in a file.

    The memory is written before a number is handed out: a crash skips a number, it never gives one twice.
    """

    def __init__(self, memory: Path) -> None:
        self._memory = memory

    def next(self, key: str, numbers: range, taken: Collection[int]) -> int | None:
        """Return the number that follows the last one of that key and is not taken; None where all are."""
        with self._alone():
            return self._next(key, numbers, taken)

    def _next(self, key: str, numbers: range, taken: Collection[int]) -> int | None:
        last = self._last()
        start = last.get(key, numbers.stop - 1) + 1
        in_turn = [*range(max(start, numbers.start), numbers.stop), *range(numbers.start, min(start, numbers.stop))]
        chosen = next((number for number in in_turn if number not in taken), None)
        if chosen is not None:
            self._remember({**last, key: chosen})
        return chosen

    def forget(self, key: str) -> None:
        """Drop the key, once nothing of it is left that a number could be confused with."""
        with self._alone():
            last = self._last()
            if key in last:
                self._remember({name: number for name, number in last.items() if name != key})

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep the other builders of this node out, for the milliseconds that it takes."""
        self._memory.parent.mkdir(parents=True, exist_ok=True)
        with self._memory.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _last(self) -> dict[str, int]:
        if not self._memory.exists():
            return {}
        last: dict[str, int] = json.loads(self._memory.read_text())
        return last

    def _remember(self, last: dict[str, int]) -> None:
        draft = self._memory.with_suffix(".new")
        with draft.open("w") as file:
            file.write(json.dumps(last))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._memory)
