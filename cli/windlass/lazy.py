"""Commands that are imported only when they run, so that the list of them is shown at once."""

import importlib
from dataclasses import dataclass
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command


@dataclass(frozen=True, slots=True)
class Target:
    """Where a command is, as `module:name`, and what the list of commands says about it."""

    place: str
    summary: str


class LazyCommand(TyperCommand):
    """Stands for a command in the list; becomes it when it is called."""

    def __init__(self, name: str, target: Target) -> None:
        super().__init__(name, help=target.summary)
        self._target = target

    def make_context(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the signature is the framework's
        return _loaded(self.name or "", self._target).make_context(*args, **kwargs)


def _loaded(name: str, target: Target) -> Any:  # noqa: ANN401 - a command of the framework, which keeps its class to itself
    module, _, attribute = target.place.partition(":")
    found = getattr(importlib.import_module(module), attribute)
    if isinstance(found, typer.Typer):
        return get_command(found)
    single = typer.Typer(add_completion=False)
    single.command(name)(found)
    return get_command(single)


def lazy_group(name: str, summary: str, targets: dict[str, Target]) -> TyperGroup:
    """Return a group of commands that are imported when they run."""
    commands = {command: LazyCommand(command, target) for command, target in targets.items()}
    return TyperGroup(name=name, help=summary, commands=dict(commands), no_args_is_help=True)
