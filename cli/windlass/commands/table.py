"""Rows in columns, complete where no terminal is; on one that is too narrow for them, a line for each cell."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from windlass.terminal import plain

_WIDE = 250
_GAP = 2
_LAST = 16
"""What the last column needs at least: it holds the longest texts, which are folded."""


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows below a header; nothing in them controls the terminal."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDE)
    cells = [[Text(plain(cell)) for cell in row] for row in rows]
    if _needed([[Text(name) for name in header], *cells]) > console.width:
        console.print(_records(header, cells))
    else:
        console.print(_columns(header, cells))


def _needed(rows: Sequence[Sequence[Text]]) -> int:
    """Return the width at which no column but the last has to be folded."""
    *columns, last = [max(int(cell.cell_len) for cell in column) for column in zip(*rows, strict=True)]
    return sum(columns) + _GAP * len(columns) + min(last, _LAST)


def _columns(header: Sequence[str], rows: Sequence[Sequence[Text]]) -> Table:
    columns = (Column(name, overflow="fold") for name in header)
    table = Table(*columns, box=None, pad_edge=False, header_style="dim")
    for row in rows:
        table.add_row(*row)
    return table


def _records(header: Sequence[str], rows: Sequence[Sequence[Text]]) -> Table:
    """Return each row as lines of a name and a cell, with an empty line between two rows."""
    table = Table(Column(style="dim"), Column(overflow="fold"), box=None, pad_edge=False, show_header=False)
    for number, row in enumerate(rows):
        if number:
            table.add_row()
        for name, cell in zip(header, row, strict=True):
            table.add_row(name, cell)
    return table
