"""What every source of logs promises about the output of an app that a runtime runs."""

import asyncio
from contextlib import aclosing
from datetime import timedelta

import pytest

from support.apps import UNTIL_VISITED, visit
from support.runtime_node import DockerNode, Node
from windlass_logs.adapters.docker import DockerLogSource
from windlass_logs.adapters.processes import ProcessLogSource
from windlass_logs.application.log_source import LogSource, Position, SourceLine, Stream

COUNTING = {"main.py": "import sys\nfor number in range(20_000): print(number)\n"}


@pytest.fixture
def logs(node: Node) -> LogSource:
    return DockerLogSource() if isinstance(node, DockerNode) else ProcessLogSource(node.folder / "home")


async def lines(logs: LogSource, runner: str, count: int, after: Position | None = None) -> list[SourceLine]:
    """Return the next lines, that many."""
    found = []
    async with asyncio.timeout(60), aclosing(logs.follow(runner, after)) as following:
        async for line in following:
            found.append(line)
            if len(found) == count:
                break
    return found


async def test_lines_arrive_as_they_were_written(node: Node, logs: LogSource) -> None:
    spec = await node.app(r"printf 'one\r\n\n'; printf 'b\377\033[1m\n' >&2; printf 'no end'")
    await node.runtime.start(spec)
    found = await lines(logs, spec.name, 4)
    assert [line.data for line in found if line.stream is Stream.OUT] == [b"one", b"", b"no end"]
    assert [line.data for line in found if line.stream is Stream.ERR] == [b"b\xff\x1b[1m"]


async def test_every_line_arrives_once_and_in_order_however_often_it_is_cut(node: Node, logs: LogSource) -> None:
    spec = await node.app("exec python3 main.py", COUNTING)
    await node.runtime.start(spec)
    found: list[SourceLine] = []
    for count in (1, 7, 500, 5_000, 3, 9_000, 5_489):
        found += await lines(logs, spec.name, count, found[-1].position if found else None)
    assert [int(line.data) for line in found] == [*range(20_000)]
    assert sorted({line.position for line in found}) == [line.position for line in found]


async def test_long_line_is_one_line(node: Node, logs: LogSource) -> None:
    spec = await node.app("""exec python3 -c 'print("x" * 100_000); print("y" * 1_500_000)'""")
    await node.runtime.start(spec)
    first, second, rest = await lines(logs, spec.name, 3)
    assert first.data == b"x" * 100_000
    assert second.data + rest.data == b"y" * 1_500_000


async def test_output_goes_on_after_a_restart_and_ends_when_the_runner_is_gone(node: Node, logs: LogSource) -> None:
    spec = await node.app(f"echo begins; test -e once && exec sleep 1000; touch once; {UNTIL_VISITED}")
    runner = await node.runtime.start(spec)
    await node.runtime.keep_running(spec.name)
    await visit(runner.address.host, runner.address.port)
    following = logs.follow(spec.name)
    async with asyncio.timeout(60), aclosing(following):
        assert [(await anext(following)).data, (await anext(following)).data] == [b"begins", b"begins"]
        await node.runtime.stop(spec.name, timedelta(0))
        await node.runtime.remove(spec.name)
        assert [line.data async for line in following] == []


async def test_runner_that_never_was_has_no_output(logs: LogSource) -> None:
    assert [line async for line in logs.follow("windlass-00000000-nobody")] == []


async def test_secret_of_a_build_is_not_cut_by_the_length_of_its_line(node: Node) -> None:
    command = """python3 -c 'print("x" * 100_000 + "secret")'"""
    await node.build(node.release_spec(node.step(command)))
    assert [line.data[-6:] for line in node.output.lines] == [b"secret"]
