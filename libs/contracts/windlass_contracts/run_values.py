"""What is to run once, as it lies encrypted in `SECRETS`: the gateway writes it, the builder reads it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from windlass_contracts.run_frames import MOST_COLUMNS, MOST_ROWS

_STRUCTURED = "\0"
"""No command line begins like that, and those that were stored before there was more to say are nothing else."""


class Console(BaseModel):
    """How a command is connected to whoever asked for it: by bytes both ways, through a terminal where it is one."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    terminal: bool = False
    rows: Annotated[int, Field(ge=1, le=MOST_ROWS)] = 24
    columns: Annotated[int, Field(ge=1, le=MOST_COLUMNS)] = 80
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9+._-]{1,64}$")] = "xterm-256color"
    """What programs know the terminal by (`TERM`)."""
    detached: bool = False
    """Whether it goes on while nobody is there."""


class RunOrder(BaseModel):
    """A command line for `sh -c`; without a `console` its output is told in lines, and it has no input."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    line: str = Field(repr=False)
    console: Console | None = None

    def stored(self) -> str:
        """Return the text that is encrypted."""
        return self.line if self.console is None else _STRUCTURED + self.model_dump_json()


def read_order(text: str) -> RunOrder:
    """Return what was stored.

    Raises:
        pydantic.ValidationError: a later release stored it, in a way that this one cannot read.
    """
    if text.startswith(_STRUCTURED):
        return RunOrder.model_validate_json(text.removeprefix(_STRUCTURED))
    return RunOrder(line=text)
