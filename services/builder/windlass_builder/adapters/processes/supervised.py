"""Starts supervisors and builds as programs of their own, and speaks with them.

Each is a bare interpreter (`-I -S`) with a few modules of ours: 5 MiB of its own, and nothing of a builder's state.
"""

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import windlass_builder
from windlass_builder.adapters.processes.supervision.order import Order, to_json
from windlass_builder.adapters.processes.supervision.record import CONTROL_SOCKET
from windlass_builder.application.runtime_errors import EngineError

_CODE = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from windlass_builder.adapters.processes.supervision.{} import main; main()"
)
_ROOT = str(Path(windlass_builder.__file__).parents[1])
_LONGEST_LINE = 2**21


async def start_supervisor(folder: Path, order: Order) -> None:
    """Start the supervisor of the runner in the folder; return once the app is started.

    Raises: EngineError, with the supervisor's last words.
    """
    with (folder / "supervisor.err").open("wb") as errors:
        program = await asyncio.create_subprocess_exec(
            *_program("supervisor"),
            cwd=folder,
            stdin=PIPE,
            stdout=DEVNULL,
            stderr=errors,
            env={},
            start_new_session=True,
        )
        await program.communicate(to_json(order))
    if program.returncode:
        said = (folder / "supervisor.err").read_text(errors="replace").strip()[-500:]
        raise EngineError(f"The supervisor of {folder.name} could not be started: {said}")


@asynccontextmanager
async def running_build(order: Order) -> AsyncIterator[asyncio.StreamReader]:
    """Start the build and yield its output; on the way out nothing of it runs any more."""
    program = await asyncio.create_subprocess_exec(
        *_program("building"), stdin=PIPE, stdout=PIPE, env={}, start_new_session=True, limit=_LONGEST_LINE
    )
    assert program.stdin is not None and program.stdout is not None  # noqa: S101, PT018 - both are pipes
    try:
        program.stdin.write(to_json(order))
        await program.stdin.drain()
        yield program.stdout
    finally:
        program.stdin.close()  # the sign to end
        await asyncio.shield(_drained(program.stdout))
        await asyncio.shield(program.wait())


async def ask(folder: Path, command: str, **details: object) -> bool | None:
    """Return the answer of the runner's supervisor, None where there is none."""
    streams = await _connection(folder)
    if streams is None:
        return None
    reader, writer = streams
    try:
        writer.write(json.dumps({"command": command, **details}).encode() + b"\n")
        answer = await reader.readline()
        await reader.read()  # who stopped an app is answered, and then kept until the supervisor itself is gone
    except ConnectionError:
        return None
    finally:
        writer.close()
    said: dict[str, Any] = json.loads(answer or b"{}")
    return said.get("ok")


async def attach(folder: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
    """Return a connection to the input and outputs of the runner's app; None where there is none to be had."""
    streams = await _connection(folder)
    if streams is None:
        return None
    reader, writer = streams
    try:
        writer.write(json.dumps({"command": "attach"}).encode() + b"\n")
        said: dict[str, Any] = json.loads(await reader.readline() or b"{}")
    except ConnectionError:
        said = {}
    if not said.get("ok"):
        writer.close()
        return None
    return reader, writer


async def _connection(folder: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
    try:
        descriptor = os.open(folder, os.O_PATH)
    except FileNotFoundError:  # it was removed a moment ago
        return None
    try:
        # By way of /proc, for the path itself may be longer than that of a socket may be.
        return await asyncio.open_unix_connection(f"/proc/self/fd/{descriptor}/{CONTROL_SOCKET}")
    except (FileNotFoundError, ConnectionRefusedError):
        return None
    finally:
        os.close(descriptor)


def _program(module: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", _CODE.format(module), _ROOT]


async def _drained(output: asyncio.StreamReader) -> None:
    while await output.read(_LONGEST_LINE):
        pass
