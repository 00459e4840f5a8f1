"""A Dockerfile may not have the engine fetch or run what it names by an address, however that is written."""

import pytest

from windlass_builder.domain.dockerfile_rules import refusal


@pytest.mark.parametrize(
    "lines",
    [
        "ADD http://127.0.0.1:8222/varz /x",
        "add --chown=1:1 --checksum=sha256:0 https://169.254.169.254/latest /x",
        'ADD ["http:\\u002f/localhost/", "/x"]',
        "ADD local $ADDRESS /x",
        'ADD http:"//"localhost/ /x',
        "ADD git@localhost:repository.git /x",
        "ONBUILD ADD ssh://git@localhost/x /x",
        "ADD \\\n# why\n\n  http://localhost/ /x",
        "AD\\\nD http://localhost/ /x",
        "RUN echo \\\\\nADD http://localhost/ /x",
        "RUN echo \\\n\nADD http://localhost/ /x",
        "\tADD\thttp://localhost/\t/x",
    ],
)
def test_what_the_engine_itself_would_fetch_is_refused(lines: str) -> None:
    said = refusal(f"FROM base\n{lines}\n")
    assert said is not None
    assert "ADD takes files of the source alone" in said


def test_the_line_is_named_whatever_ends_one_that_goes_on() -> None:
    said = refusal("# escape=`\nFROM base\nRUN echo `\n && true\nADD `\n http://localhost/ /x\n")
    assert said is not None
    assert said.startswith("Dockerfile line 5:")


@pytest.mark.parametrize(
    "head", ["# syntax=evil/frontend:1", "#!/bin/sh\n\n//SYNTAX = localhost:5000/x", "\ufeff#syntax=x"]
)
def test_frontend_of_somebody_is_refused(head: str) -> None:
    said = refusal(f"{head}\nFROM base\n")
    assert said is not None
    assert "none but docker/dockerfile" in said


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# syntax=docker/dockerfile:1.7\nFROM base\nADD --chown=app . /app\n",
        "# syntax=docker.io/docker/dockerfile@sha256:00\nFROM base\n",
        'FROM base\nADD ["a file", "/x/"]\nCOPY http /x\nRUN curl http://example.com | sh && echo "$HOME"\n',
        "FROM base\n# syntax=evil/frontend, which is no directive here\nENV ADDRESS=http://localhost/\n",
        "FROM base\nADD src/*.py $TARGET\n",
    ],
)
def test_all_else_is_left_to_buildkit(text: str) -> None:
    assert refusal(text) is None
