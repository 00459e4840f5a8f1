"""What every runtime promises about a command that is run once and waited for."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from support.runtime_node import Node
from windlass_builder.application.runtime_errors import RunnerMissingError
from windlass_builder.domain.workloads import Exited, OutputLine, OutputStream, RunnerSpec

SCRIPT = {
    "main.py": """
import os, sys, time
print("begun", flush=True)
print("é\\x1b[31m" + "x" * 40_000, flush=True)
sys.stderr.write("no line end")
sys.stderr.flush()
time.sleep(float(os.environ["PAUSE"]))
sys.exit(int(os.environ["CODE"]))
"""
}


class Heard:
    def __init__(self) -> None:
        self.lines: list[OutputLine] = []
        self.some = asyncio.Event()

    async def __call__(self, line: OutputLine) -> None:
        self.lines.append(line)
        self.some.set()

    def of(self, stream: OutputStream) -> list[bytes]:
        return [line.data for line in self.lines if line.stream is stream]


async def command(node: Node, *, pause: float = 0.0, code: int = 0) -> RunnerSpec:
    spec = await node.app(files=SCRIPT)
    return replace(spec, environment={"PAUSE": str(pause), "CODE": str(code)})


@pytest.mark.parametrize("code", [0, 3])
async def test_command_is_heard_to_its_last_line_and_its_exit_code_is_told(node: Node, code: int) -> None:
    spec = await command(node, pause=0.5, code=code)
    await node.runtime.start(spec)
    heard = Heard()
    ending = await node.runtime.attend(spec.name, heard)
    assert ending == Exited(code, out_of_memory=False)
    assert heard.of(OutputStream.STDOUT) == [b"begun", "é\x1b[31m".encode() + b"x" * 40_000]
    assert heard.of(OutputStream.STDERR) == [b"no line end"]


async def test_lines_come_while_it_runs_and_only_what_is_new_comes_again(node: Node) -> None:
    spec = await command(node, pause=60)
    await node.runtime.start(spec)
    first = Heard()
    attending = asyncio.create_task(node.runtime.attend(spec.name, first))
    await first.some.wait()
    attending.cancel()
    await asyncio.wait({attending})
    await node.runtime.remove(spec.name)

    spec = await command(node)
    await node.runtime.start(spec)
    await node.runtime.attend(spec.name, all_of_it := Heard())
    again = Heard()
    ending = await node.runtime.attend(spec.name, again, max(line.time for line in all_of_it.lines[:1]))
    assert ending == Exited(0, out_of_memory=False)
    assert again.lines == all_of_it.lines[1:]
    silent = Heard()
    await node.runtime.attend(spec.name, silent, datetime.now(UTC))
    assert silent.lines == []


async def test_there_is_nothing_to_attend_where_there_is_none(node: Node) -> None:
    with pytest.raises(RunnerMissingError):
        await node.runtime.attend("windlass-none", Heard())


async def test_reading_that_is_broken_off_does_not_stand_in_the_way_of_the_next(node: Node) -> None:
    spec = await node.app("echo ready && exec sleep 60")
    await node.runtime.start(spec)
    await node.until_said(spec.name, "ready")
    heard, again = Heard(), Heard()
    before = asyncio.all_tasks()
    broken_off = asyncio.create_task(node.runtime.attend(spec.name, heard))
    async with asyncio.timeout(60):
        await heard.some.wait()
        broken_off.cancel()
        await asyncio.wait({broken_off})
        assert asyncio.all_tasks() == before, "nothing listens any more to what is closed"
        reading = asyncio.create_task(node.runtime.attend(spec.name, again))
        await again.some.wait()
        await node.runtime.stop(spec.name, timedelta(seconds=1))
        await reading
    assert [line.data for line in again.lines] == [b"ready"]
