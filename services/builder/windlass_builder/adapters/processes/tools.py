"""The interpreters that releases may be built on, and the programs that builds find: Python and uv."""

import asyncio
import shutil
import sys
from asyncio.subprocess import PIPE
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from windlass_builder.application.runtime_errors import RunnerImageMissingError

_ASK = "import sys, platform; print(sys.base_prefix); print(platform.python_version())"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python of this machine: where it is installed, its version, and the folder with its names and uv."""

    prefix: Path
    version: str
    tools: Path


class Tools:
    """The interpreters by the names of their runners; each gets a folder below `home` with `python` and `uv` in it."""

    def __init__(self, home: Path, interpreters: Mapping[str, Path]) -> None:
        self._home = home
        self._interpreters = interpreters
        self._known: dict[str, Interpreter] = {}
        self._examining = asyncio.Lock()

    async def interpreter(self, runner: str) -> Interpreter:
        """Return the runner's interpreter.

        Raises: RunnerImageMissingError.
        """
        async with self._examining:
            if runner not in self._known:
                self._known[runner] = await self._examined(runner)
            return self._known[runner]

    async def _examined(self, runner: str) -> Interpreter:
        program = self._interpreters.get(runner)
        if program is None or not program.exists():
            raise RunnerImageMissingError(runner)
        asked = await asyncio.create_subprocess_exec(program, "-I", "-c", _ASK, stdout=PIPE)
        answer, _ = await asked.communicate()
        prefix, version = answer.decode().split()
        tools = self._home / version
        await asyncio.to_thread(_furnish, tools, Path(prefix) / "bin" / "python3")
        return Interpreter(Path(prefix), version, tools)


def _furnish(folder: Path, python: Path) -> None:
    """Fill the folder anew: what it points to may have moved since the last start."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("python", "python3"):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(python)
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin")
    if uv is not None:
        shutil.copy(uv, folder / "uv.new")
        (folder / "uv.new").replace(folder / "uv")  # a program that runs cannot be written to
