"""What a supervisor is told to run. Standard library only: supervisors import this."""

import json
from typing import NamedTuple


class Order(NamedTuple):
    """A command line, and what it may use: bytes of memory, threads, bytes per file.

    `secrets` is what goes to the sandbox through a file descriptor, whose number takes the place of `{secrets}` in the
    command line. `environment` is what the command itself gets. `wrappers` are the processes of the sandbox that stand
    before the app's own. With a `console` input and outputs are whoever's is connected: by pipes, or, where it says how
    many rows and columns it has, through a terminal.
    """

    command: list[str]
    environment: dict[str, str]
    secrets: str
    folder: str
    user: int | None
    memory: int
    threads: int
    file_size: int | None
    niceness: int
    wrappers: int
    console: list[int] | None = None


def to_json(order: Order) -> bytes:
    return json.dumps(order._asdict()).encode() + b"\n"


def from_json(line: bytes) -> Order:
    return Order(**json.loads(line))
