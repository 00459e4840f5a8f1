"""How the progress of a deployment is told: live on a terminal, in plain lines anywhere else, or not at all."""

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

from rich.console import Console, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from windlass.api import Json
from windlass.commands.steps import FinishedStep
from windlass.terminal import coloured, duration, plain


class Teller(Protocol):
    """Tells whoever deploys what happens."""

    def telling(self) -> AbstractContextManager[None]:
        """Be ready to tell, for as long as the block lasts."""
        ...

    def begun(self, step: str | None) -> None:
        """A step is under way; None when there is none any more."""
        ...

    def finished(self, step: FinishedStep) -> None:
        """A step is over."""
        ...

    def line(self, line: Json) -> None:
        """A build or a container wrote a line."""
        ...

    def say(self, text: str) -> None:
        """Something is worth a sentence."""
        ...


def teller_for(*, silent: bool) -> Teller:
    """Return the teller that fits where standard output goes."""
    if silent:
        return SilentTeller()
    console = Console(highlight=False, soft_wrap=True)
    return TerminalTeller(console) if console.is_terminal else PlainTeller()


class SilentTeller:
    """Tells nothing: the result says it all."""

    def telling(self) -> AbstractContextManager[None]:
        return nullcontext()

    def begun(self, step: str | None) -> None:
        del step

    def finished(self, step: FinishedStep) -> None:
        del step

    def line(self, line: Json) -> None:
        del line

    def say(self, text: str) -> None:
        del text


class PlainTeller:
    """One line for each thing, for logs and pipes."""

    def telling(self) -> AbstractContextManager[None]:
        return nullcontext()

    def begun(self, step: str | None) -> None:
        del step

    def finished(self, step: FinishedStep) -> None:
        self.say(f"{'done' if step.succeeded else 'broke off'}: {_described(step)}")

    def line(self, line: Json) -> None:
        self.say(f"  {plain(line['source'])} | {plain(line['text'])}")

    def say(self, text: str) -> None:
        sys.stdout.buffer.write(text.encode(errors="replace") + b"\n")
        sys.stdout.buffer.flush()


class TerminalTeller:
    """A spinner for the step that is under way, below all that was said."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._current: str | None = None
        self._since = time.monotonic()
        self._spinner = Spinner("dots")

    @contextmanager
    def telling(self) -> Iterator[None]:
        with Live(console=self._console, get_renderable=self._now, refresh_per_second=8, transient=True):
            yield

    def begun(self, step: str | None) -> None:
        self._current, self._since = step, time.monotonic()

    def finished(self, step: FinishedStep) -> None:
        mark, style = ("✓", "green") if step.succeeded else ("✗", "red")
        self._console.print(Text.assemble((mark, style), f" {_described(step)}"))

    def line(self, line: Json) -> None:
        self._console.print(Text("  ") + Text.from_ansi(coloured(line["text"]), style="dim"))

    def say(self, text: str) -> None:
        self._console.print(Text(text))

    def _now(self) -> RenderableType:
        if self._current is None:
            return Text("")
        elapsed = int((time.monotonic() - self._since) * 1_000)
        self._spinner.update(text=Text(f"{self._current}  {duration(elapsed)}"))
        return self._spinner


def _described(step: FinishedStep) -> str:
    remark = f" ({step.remark})" if step.remark else ""
    return f"{step.name:<8} {duration(step.duration_ms)}{remark}"
