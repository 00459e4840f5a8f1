"""How every command runs: connected to the installation that is meant, until it is done or interrupted."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from windlass.api import Api, Json
from windlass.connection import find_connection

T = TypeVar("T")

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document; for streams, one a line.")]
EnvironmentOption = Annotated[str, typer.Option("--environment", "-e", help="The environment that is meant.")]


def run(use: Callable[[Api], Awaitable[T]]) -> T:
    """Run a command's work against the installation that is meant.

    Raises:
        CommandError: it cannot be done.
    """

    async def connected() -> T:
        async with Api(find_connection(os.environ, Path.cwd())) as api:
            return await use(api)

    return asyncio.run(connected())


def print_json(document: Json) -> None:
    """Print a document on one line, at once."""
    print_line(json.dumps(document, ensure_ascii=False))


def print_line(text: str) -> None:
    """Print a line, at once, whatever the locale can write."""
    sys.stdout.buffer.write(text.encode(errors="replace") + b"\n")
    sys.stdout.buffer.flush()
