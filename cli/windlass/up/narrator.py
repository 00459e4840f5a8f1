"""What `windlass up` says: live progress on a terminal, plain lines anywhere else."""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Protocol, TextIO

from rich.console import Console, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Table


class Narrator(Protocol):
    """Tells the person at the terminal what happens."""

    def step(self, title: str) -> AbstractContextManager[None]:
        """Show that something is being done, and how long it took; steps may overlap."""
        ...

    def say(self, text: str) -> None:
        """Say that something happened."""
        ...

    def warn(self, text: str) -> None:
        """Say that something happened that should not have."""
        ...

    def show(self, lines: dict[str, str]) -> None:
        """Show a summary: what each line is about, and what it says."""
        ...


def narrator_for_stdout(*, as_json: bool = False) -> Narrator:
    """Return the narrator that fits where standard output goes."""
    if as_json:
        return JsonNarrator()
    console = Console(highlight=False, soft_wrap=True)
    return TerminalNarrator(console) if console.is_terminal else PlainNarrator()


class PlainNarrator:
    """One line for each thing, for logs and pipes."""

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        since = time.monotonic()
        try:
            yield
        except BaseException:
            self.say(f"{title}: not done")
            raise
        self.say(f"{title}: {time.monotonic() - since:.1f} s")

    def say(self, text: str) -> None:
        _print_line(text)

    def warn(self, text: str) -> None:
        self.say(text)

    def show(self, lines: dict[str, str]) -> None:
        for about, text in lines.items():
            self.say(f"{about}: {text}")


class JsonNarrator:
    """One JSON document a line, for programs: `kind` is step, said, warning or summary."""

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        since, done = time.monotonic(), False
        try:
            yield
            done = True
        finally:
            self._tell("step", title=title, done=done, seconds=round(time.monotonic() - since, 3))

    def say(self, text: str) -> None:
        self._tell("said", text=text)

    def warn(self, text: str) -> None:
        self._tell("warning", text=text)

    def show(self, lines: dict[str, str]) -> None:
        self._tell("summary", lines=lines)

    @staticmethod
    def _tell(kind: str, **what: object) -> None:
        _print_line(json.dumps({"kind": kind, **what}))


def _print_line(text: str) -> None:
    try:
        print(text, flush=True)  # noqa: T201 - standard output is what this is for
    except OSError:
        # Nobody reads any more: no reason to stop an installation, and none to stop it without order.
        sys.stdout = _nowhere()


class TerminalNarrator:
    """Steps with spinners while they last, a line with the time for each that is done."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._pending: dict[str, Spinner] = {}
        self._live: Live | None = None

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        since = time.monotonic()
        self._show_pending({**self._pending, title: Spinner("dots", escape(title))})
        done = False
        try:
            yield
            done = True
        finally:
            self._show_pending({other: spinner for other, spinner in self._pending.items() if other != title})
            sign = "[green]✓[/]" if done else "[red]✗[/]"
            self._print(f"{sign} {escape(title)} [dim]{time.monotonic() - since:.1f} s[/]")

    def say(self, text: str) -> None:
        self._print(f"[dim]{datetime.now().astimezone():%H:%M:%S}[/] {escape(text)}")

    def warn(self, text: str) -> None:
        self._print(f"[dim]{datetime.now().astimezone():%H:%M:%S}[/] [yellow]{escape(text)}[/]")

    def show(self, lines: dict[str, str]) -> None:
        table = Table.grid(padding=(0, 2))
        for about, text in lines.items():
            table.add_row(f"[bold]{escape(about)}[/]", escape(text))
        self._print("", table, "")

    def _print(self, *things: RenderableType) -> None:
        try:
            for thing in things:
                self._console.print(thing)
        except OSError:
            self._go_quiet()

    def _go_quiet(self) -> None:
        """Say nothing more, for the terminal is gone; what runs is stopped in order all the same."""
        self._console = Console(file=_nowhere())
        self._live = None

    def _show_pending(self, pending: dict[str, Spinner]) -> None:
        """Redraw what is being done; the thread that animates it lives only as long as there is something."""
        self._pending = pending
        try:
            self._redraw()
        except OSError:
            self._go_quiet()

    def _redraw(self) -> None:
        pending = self._pending
        if not pending and self._live is not None:
            self._live.stop()
            self._live = None
            return
        table = Table.grid()
        for spinner in pending.values():
            table.add_row(spinner)
        if self._live is None:
            self._live = Live(table, console=self._console, transient=True, refresh_per_second=10)
            self._live.start()
        else:
            self._live.update(table)


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - open for the rest of our life
