import pytest
from rich.text import Text

from windlass.commands.table import print_table

HEADER = ("DEPLOYMENT", "PROJECT", "ADDRESS")
ROWS = [("0a1b2c3d", "shop", "http://shop.localhost:8080"), ("4e5f6a7b", "tide-api", "-")]
IN_COLUMNS = [
    "DEPLOYMENT  PROJECT   ADDRESS",
    "0a1b2c3d    shop      http://shop.localhost:8080",
    "4e5f6a7b    tide-api  -",
]
ONE_BELOW_THE_OTHER = [
    "DEPLOYMENT  0a1b2c3d",
    "PROJECT     shop",
    "ADDRESS     http://shop.localho",
    "            st:8080",
    "",
    "DEPLOYMENT  4e5f6a7b",
    "PROJECT     tide-api",
    "ADDRESS     -",
]


@pytest.mark.parametrize(("columns", "expected"), [("80", IN_COLUMNS), ("31", ONE_BELOW_THE_OTHER)])
def test_rows_are_as_wide_as_the_terminal(
    columns: str, expected: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", columns)
    print_table(HEADER, ROWS)
    seen = Text.from_ansi(capsys.readouterr().out).plain
    assert [line.rstrip() for line in seen.splitlines()] == expected


def test_rows_are_complete_where_no_terminal_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    print_table(HEADER, ROWS)
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == IN_COLUMNS
