"""The interpreters that releases may be built on, and the programs that builds and apps find beside them."""

import asyncio
import shutil
import sys
from asyncio.subprocess import PIPE
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from windlass_builder.adapters.processes import static_server
from windlass_builder.application.runtime_errors import RunnerImageMissingError
from windlass_builder.domain.detection.static import SERVER

_ASK_PYTHON = "import sys, platform; print(sys.base_prefix); print(platform.python_version())"
_ASK_NODE = "console.log(process.execPath); console.log(process.versions.node)"
_OLDEST_NODE = 18
_NO_NODE = (
    f"this machine runs apps as plain processes and has no Node of version {_OLDEST_NODE} or later: install it "
    "(Debian: apt-get install nodejs npm) and start Windlass again, or let it use Docker"
)
# As in the Node runner; they are fetched by npm when a build first asks for them.
_FETCHED = {"pnpm": "pnpm@10.34.8", "yarn": "yarn@1.22.22", "yarn-berry": "@yarnpkg/cli-dist@4.18.1"}


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python or Node of this machine: where it and what it needs is installed, and the folder of what is found first.

    `content` says which it is, for releases are built anew with another.
    """

    programs: tuple[Path, ...]
    content: str
    tools: Path


class Tools:
    """The interpreters by the names of their runners; each gets a folder below `home` with its programs in it."""

    def __init__(self, home: Path, interpreters: Mapping[str, Path | None]) -> None:
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
        if runner not in self._interpreters:
            raise RunnerImageMissingError(runner)
        program = self._interpreters[runner]
        if program is None:
            raise RunnerImageMissingError(runner, _NO_NODE)
        if not program.exists():
            raise RunnerImageMissingError(runner)
        return await (self._node(runner, program) if program.name == "node" else self._python(program))

    async def _python(self, program: Path) -> Interpreter:
        prefix, version = await _answer(program, "-I", "-c", _ASK_PYTHON)
        tools = self._home / version
        await asyncio.to_thread(_furnish, tools, Path(prefix))
        return Interpreter((Path(prefix),), f"{version} in {prefix}", tools)

    async def _node(self, runner: str, program: Path) -> Interpreter:
        """Beside Node there is Python as well: the static server is written in it."""
        path, version = await _answer(program, "--eval", _ASK_NODE)
        if int(version.partition(".")[0]) < _OLDEST_NODE:
            raise RunnerImageMissingError(runner, _NO_NODE)
        prefix = Path(path).parent.parent
        python, _ = await _answer(Path(sys.executable), "-I", "-c", _ASK_PYTHON)
        tools = self._home / f"node-{version}"
        await asyncio.to_thread(_furnish, tools, Path(python))
        await asyncio.to_thread(_add_node, tools, prefix)
        return Interpreter((Path(python), prefix), f"node {version} in {prefix}", tools)


async def _answer(program: Path, *arguments: str) -> tuple[str, str]:
    asked = await asyncio.create_subprocess_exec(program, *arguments, stdout=PIPE)
    answer, _ = await asked.communicate()
    first, second = answer.decode().splitlines()
    return first, second


def _furnish(folder: Path, prefix: Path) -> None:
    """Fill the folder anew: what it points to may have moved since the last start."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("python", "python3"):
        _link(folder / name, prefix / "bin" / "python3")
    for name in ("uv", "uvx"):
        found = shutil.which(name, path=f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin")
        if found is not None:
            _put(folder / name, Path(found).read_bytes())
    _put(folder / SERVER, b"#!/usr/bin/env python3\n" + Path(static_server.__file__).read_bytes())


def _add_node(folder: Path, prefix: Path) -> None:
    for name in ("node", "npm", "npx"):
        if (prefix / "bin" / name).exists():
            _link(folder / name, prefix / "bin" / name)
    for name, package in _FETCHED.items():
        script = f'#!/bin/sh\nexec npx --yes --package={package} -- {name.removesuffix("-berry")} "$@"\n'
        _put(folder / name, script.encode())


def _link(name: Path, target: Path) -> None:
    name.unlink(missing_ok=True)
    name.symlink_to(target)


def _put(path: Path, content: bytes) -> None:
    """Put a program there, whole: one that runs cannot be written to."""
    draft = path.with_name(f"{path.name}.new")
    draft.write_bytes(content)
    draft.chmod(0o755)
    draft.replace(path)
