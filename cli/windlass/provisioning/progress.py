"""How provisioning tells its caller where it is; how that looks is the caller's business."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Progress(Protocol):
    """Receives the steps in order; steps are never nested."""

    def begin(self, step: str) -> None:
        """Start a step that may take a while, such as `Installing Docker`."""

    def say(self, line: str) -> None:
        """Show one line of what the running step does."""

    def end(self) -> None:
        """Finish the step: it is done. A step that fails is not ended; its error follows."""


@contextmanager
def step(progress: Progress, title: str) -> Iterator[None]:
    """Report `title` as begun and, unless it raises, as done."""
    progress.begin(title)
    yield
    progress.end()


class Silence:
    """Progress that nobody watches."""

    def begin(self, step: str) -> None:
        pass

    def say(self, line: str) -> None:
        pass

    def end(self) -> None:
        pass
