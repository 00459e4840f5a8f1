"""How far an operation is: a bar on a terminal, plain lines anywhere else, or nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from windlass.api import Json
from windlass.commands.running import print_line
from windlass.terminal import plain

_STEPS = 10


class Teller(Protocol):
    """Tells how far services are."""

    def tell(self, service: str, state: Json) -> None:
        """Tell one state of a service's operation."""
        ...


@contextmanager
def telling(*, silent: bool) -> Iterator[Teller]:
    """Yield the teller that fits where standard output goes."""
    console = Console(highlight=False)
    if silent:
        yield _Silent()
    elif console.is_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            yield _Bars(progress)
    else:
        yield _Lines()


class _Silent:
    def tell(self, service: str, state: Json) -> None:
        del service, state


class _Bars:
    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def tell(self, service: str, state: Json) -> None:
        if service not in self._tasks:
            self._tasks[service] = self._progress.add_task(service, total=None)
        total = state.get("total") or None
        about = f"{service}: {plain(state.get('doing', 'begins'))}"
        self._progress.update(self._tasks[service], description=about, completed=state.get("done", 0), total=total)


class _Lines:
    def __init__(self) -> None:
        self._told: dict[str, tuple[str, int]] = {}

    def tell(self, service: str, state: Json) -> None:
        """Print a line for each new thing that is done, and for each tenth of it."""
        doing, done, total = plain(state.get("doing", "begins")), state.get("done", 0), state.get("total", 0)
        news = doing, _STEPS * done // total if total else 0
        if self._told.get(service) == news:
            return
        self._told[service] = news
        far = f", {done:,} of {total:,}" if total else ""
        print_line(f"{service}: {doing}{far}")
