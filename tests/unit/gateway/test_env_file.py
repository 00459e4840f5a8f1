"""Pasted variables: read as python-dotenv reads them, and every line that cannot be read is named."""

from contextlib import suppress
from io import StringIO

import pytest
from dotenv import dotenv_values
from dotenv.variables import Variable, parse_variables
from hypothesis import given
from hypothesis import strategies as st

from windlass_gateway.domain.env_file import MAX_ENV_FILE_BYTES, MAX_STATEMENTS, read_env_file, references
from windlass_gateway.domain.refusals import InvalidInputError
from windlass_gateway.domain.variables import MAX_VALUE_BYTES, MAX_VARIABLES

KEY = "-----BEGIN KEY-----\nabc+/=\n-----END KEY-----\n"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("A=1", {"A": "1"}),
        ("A='x y'\nB=\"x y\"", {"A": "x y", "B": "x y"}),
        ('A=it\'s\nB=say "hi"', {"A": "it's", "B": 'say "hi"'}),
        (f'KEY="{KEY}"\nB=2', {"KEY": KEY, "B": "2"}),
        ('A="x\\n"', {"A": "x\n"}),
        ("A='x\\n'", {"A": "x\\n"}),
        ("A=1\nB=2\n\n\n", {"A": "1", "B": "2"}),
        ("A=\nB=''\nC= ", {"A": "", "B": "", "C": ""}),
        ("A=x#y\nB=x #y\nC='x #y'\nD=# y\nE=#y", {"A": "x#y", "B": "x", "C": "x #y", "D": "# y", "E": "#y"}),
        ("# comment\n  # another\nA=1 # last", {"A": "1"}),
        ("export A=1\n  export   B = 2 ", {"A": "1", "B": "2"}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("\ufeffA=1", {"A": "1"}),
        ("URL=postgres://u:p@h/d?x=y&z=%20", {"URL": "postgres://u:p@h/d?x=y&z=%20"}),
        ("A=grüße \u202e\u200f 你好", {"A": "grüße \u202e\u200f 你好"}),
        ("A=<script>alert(1)</script>", {"A": "<script>alert(1)</script>"}),
        ("A=$B $(id) `id`", {"A": "$B $(id) `id`"}),
        ("", {}),
        ("\n\n# nothing", {}),
    ],
)
def test_values_are_read_as_they_were_written(text: str, values: dict[str, str]) -> None:
    read = read_env_file(text)
    assert read.values == values
    assert (read.unreadable, read.remarks) == ([], [])


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("A=1\n1B=2", 2, "no digit first"),
        ("A=1\n\n\nMY-VAR=2", 4, "letters, digits"),
        ("ÜBER=1", 1, "letters, digits"),
        ("'A B'=1", 1, "letters, digits"),
        ("A" * 201 + "=1", 1, "letters, digits"),
        ("just words", 1, "NAME=VALUE"),
        ("TOKEN", 1, "TOKEN= ."),
        ("A='open\nB=2", 1, "quote"),
        ('A="x" y', 1, "closing quote"),
        ("=1", 1, "NAME=VALUE"),
        ("A=x\x00y", 1, "NUL"),
        ("A=1\nB=" + "x" * (MAX_VALUE_BYTES + 1), 2, "64 KiB"),
        ("A=" + "ü" * (MAX_VALUE_BYTES // 2 + 1), 1, "64 KiB"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_and_nothing_is_set(text: str, line: int, why: str) -> None:
    read = read_env_file(text)
    assert (read.unreadable[0].line, why in read.unreadable[0].text) == (line, True)
    with pytest.raises(InvalidInputError, match=f"Line {line} "):
        read.readable()


def test_of_a_name_that_comes_twice_the_last_counts_and_it_is_said() -> None:
    read = read_env_file("A=1\nB=2\nA=3")
    assert read.readable() == {"A": "3", "B": "2"}
    assert [(one.line, "line 1" in one.text) for one in read.remarks] == [(3, True)]


def test_references_are_resolved_within_the_paste_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_GATEWAY", "hunter2")
    read = read_env_file(
        "HOST=db\nURL=http://${HOST}/\nX=${SECRET_OF_THE_GATEWAY}\nY=${NONE:-some}\nZ=${LATER}\nLATER=1\nH=${HOST:-x}"
    )
    assert read.readable() == {
        "HOST": "db",
        "URL": "http://db/",
        "X": "${SECRET_OF_THE_GATEWAY}",
        "Y": "some",
        "Z": "${LATER}",
        "LATER": "1",
        "H": "db",
    }
    assert [one.line for one in read.remarks] == [3, 5]


def test_values_made_of_values_do_not_grow_without_bounds() -> None:
    doubling = "\n".join(f"A{number + 1}=" + f"${{A{number}}}" * 2 for number in range(60))
    read = read_env_file("A0=x\n" + doubling)
    assert {one.line for one in read.unreadable} >= {18}
    assert max(map(len, read.values.values())) <= MAX_VALUE_BYTES


def test_bounds_are_held() -> None:
    assert len(read_env_file("\n".join(f"V{number}=x" for number in range(MAX_VARIABLES))).values) == MAX_VARIABLES
    longest = "A=" + "x" * MAX_VALUE_BYTES
    assert len(read_env_file(longest).readable()["A"]) == MAX_VALUE_BYTES
    with pytest.raises(InvalidInputError, match="300 is the limit"):
        read_env_file("\n".join(f"V{number}=x" for number in range(MAX_VARIABLES + 1)))
    with pytest.raises(InvalidInputError, match="512 KiB"):
        read_env_file("#" + "x" * MAX_ENV_FILE_BYTES)
    with pytest.raises(InvalidInputError, match="Line 2 has more than 200 blanks"):
        read_env_file("A=1\nB=x" + " " * 300_000 + "y")
    comments = "# x\n" * (MAX_STATEMENTS - 1)
    assert read_env_file(f"{comments}A=1").readable() == {"A": "1"}
    with pytest.raises(InvalidInputError, match="more than 3000 variables and comments"):
        read_env_file(f"{comments}A=1\n# x")


@pytest.mark.timeout(20)
@pytest.mark.parametrize("opening", ["${", "${A:-", "${A:", "${A:-${B:"])
@pytest.mark.parametrize("closing", ["", "}", ":x}"])
def test_references_that_never_end_keep_nobody_waiting(opening: str, closing: str) -> None:
    value = opening * (200_000 // len(opening)) + closing
    assert "64 KiB" in read_env_file(f"A={value}").unreadable[0].text


@given(st.text(st.sampled_from("${}:-AB "), max_size=40))
def test_references_are_found_as_python_dotenv_finds_them(value: str) -> None:
    theirs = [(one.name, one.default) for one in parse_variables(value) if isinstance(one, Variable)]
    assert [(one.name, one.default) for one in references(value)] == theirs


@given(st.text(st.sampled_from("AB=x #'\"\\\n\r\t$"), max_size=60))
def test_what_is_read_is_what_python_dotenv_reads(text: str) -> None:
    read = read_env_file(text)
    theirs = dotenv_values(stream=StringIO(text, newline=""), interpolate=False)
    given_a_value = {name: value for name, value in theirs.items() if value is not None}
    if not read.unreadable:
        assert read.values == given_a_value


@given(st.text(max_size=200))
def test_whatever_is_pasted_is_read_or_refused(text: str) -> None:
    with suppress(InvalidInputError):
        read = read_env_file(text)
        lines = len(text.splitlines()) + 1
        assert all(1 <= one.line <= lines for one in (*read.unreadable, *read.remarks))
