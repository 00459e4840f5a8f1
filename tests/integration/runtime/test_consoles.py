"""What every runtime promises about a command that somebody sits before."""

import asyncio
import hashlib
from dataclasses import replace

import pytest

from support.runtime_node import Node
from windlass_builder.application.attachment import Attachment
from windlass_builder.application.runtime_errors import RunnerMissingError, RunnerNotRunningError
from windlass_builder.domain.workloads import Console, Exited, OutputStream, RunnerSpec
from windlass_contracts.run_frames import Size

PIPES, TERMINAL = Console(terminal=False), Console(terminal=True, rows=33, columns=77)


LISTENING = """
import os, shutil, signal, sys, time
signal.signal(signal.SIGINT, lambda *_: print("caught", flush=True))
while os.get_terminal_size().columns == 0:  # the engine tells the size once the command runs
    time.sleep(0.01)
print("ready", tuple(os.get_terminal_size())[::-1], flush=True)
for line in iter(sys.stdin.readline, ""):
    print("=" + line.strip(), tuple(os.get_terminal_size())[::-1], flush=True)
"""


async def command(node: Node, line: str, console: Console) -> RunnerSpec:
    return replace(await node.app(line), console=console)


async def everything(attachment: Attachment, stream: OutputStream = OutputStream.STDOUT) -> bytes:
    pieces = []
    while (piece := await attachment.read()) is not None:
        if piece.stream is stream:
            pieces.append(piece.data)
    return b"".join(pieces)


async def until(attachment: Attachment, text: bytes) -> bytes:
    """Read until the text has come, and return all that came."""
    came = b""
    async with asyncio.timeout(60):
        while text not in came:
            piece = await attachment.read()
            assert piece is not None, came
            came += piece.data
    return came


async def test_bytes_go_in_and_come_out_as_they_are_and_the_end_of_the_input_is_passed_on(node: Node) -> None:
    sent = bytes(range(256)) * 4_000 + b"\r\n\0no line end"
    spec = await command(node, "cat; echo loud >&2; exit 7", PIPES)
    async with node.runtime.attached(spec) as attachment:

        async def type_it() -> None:
            for start in range(0, len(sent), 30_000):
                await attachment.write(sent[start : start + 30_000])
            await attachment.end_input()

        typing = asyncio.create_task(type_it())
        came = await everything(attachment)
        await typing
        assert hashlib.sha256(came).digest() == hashlib.sha256(sent).digest()
        assert await attachment.ended() == Exited(7, out_of_memory=False)


async def test_a_command_that_ends_at_once_is_heard_to_its_last_byte(node: Node) -> None:
    spec = await command(node, "printf 'no line end'; printf loud >&2", PIPES)
    async with node.runtime.attached(spec) as attachment:
        pieces = []
        while (piece := await attachment.read()) is not None:
            pieces.append((piece.stream, piece.data))
        assert sorted(pieces) == [(OutputStream.STDERR, b"loud"), (OutputStream.STDOUT, b"no line end")]
        assert await attachment.ended() == Exited(0, out_of_memory=False)


async def test_a_terminal_has_a_size_passes_keys_on_and_ctrl_c_is_for_the_command_alone(node: Node) -> None:
    spec = await command(node, f"stty -echo; python -c '{LISTENING}'", TERMINAL)
    async with node.runtime.attached(spec) as attachment:
        await until(attachment, b"ready (33, 77)")
        await attachment.resize(Size(44, 101))
        await attachment.write(b"typed\n")
        await until(attachment, b"=typed (44, 101)")
        await attachment.write(b"\x03")
        await until(attachment, b"caught")
        await attachment.write(b"again\n")
        await until(attachment, b"=again")
        await attachment.end_input()
        await everything(attachment)
        assert (await attachment.ended()).out_of_memory is False


async def test_a_terminal_is_found_again_by_who_comes_back(node: Node) -> None:
    spec = await command(node, "stty -echo; echo ready; while read a; do stty size; echo =$a; done", TERMINAL)
    async with node.runtime.attached(spec) as attachment:
        await until(attachment, b"ready")
    async with node.runtime.attached_again(spec.name) as again:
        await again.resize(Size(20, 90))
        await again.write(b"back\n")
        assert b"20 90" in await until(again, b"=back")
        await node.runtime.remove(spec.name)
        await everything(again)
    with pytest.raises(RunnerMissingError):
        async with node.runtime.attached_again(spec.name):
            pass


async def test_what_has_ended_cannot_be_connected_to(node: Node) -> None:
    spec = await command(node, "true", TERMINAL)
    async with node.runtime.attached(spec) as attachment:
        await everything(attachment)
        await attachment.ended()
    with pytest.raises(RunnerNotRunningError):
        async with node.runtime.attached_again(spec.name):
            pass


async def test_a_command_waits_while_nobody_reads_what_it_writes(node: Node) -> None:
    spec = await command(node, "head -c 20000000 /dev/zero; echo written >&2", PIPES)
    async with node.runtime.attached(spec) as attachment:
        total = 0
        while (piece := await attachment.read()) is not None:
            total += len(piece.data) if piece.stream is OutputStream.STDOUT else 0
        assert total == 20_000_000
        assert (await attachment.ended()).exit_code == 0


@pytest.mark.parametrize("takes", ["head -c 10 >/dev/null", "exec <&-"])
async def test_nothing_is_lost_of_what_a_command_wrote_that_took_only_some_of_its_input(node: Node, takes: str) -> None:
    spec = await command(node, f"{takes}; head -c 3000000 /dev/zero", PIPES)
    async with node.runtime.attached(spec) as attachment:

        async def type_on() -> None:
            for _ in range(300):
                await attachment.write(b"x" * 30_000)

        typing = asyncio.create_task(type_on())
        await asyncio.sleep(0)
        came = await everything(attachment)
        typing.cancel()
        await asyncio.wait({typing})
        assert len(came) == 3_000_000
        assert (await attachment.ended()).exit_code == 0


CATCHING = """
import time
try:
    print("begun", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    raise SystemExit(3)
"""


@pytest.mark.parametrize(("line", "code"), [(f"python -c '{CATCHING}'", 3), ("echo begun; sleep 60; echo on", 130)])
async def test_ctrl_c_ends_the_command_with_the_exit_code_of_what_it_met(node: Node, line: str, code: int) -> None:
    spec = await command(node, line, TERMINAL)
    async with node.runtime.attached(spec) as attachment:
        await until(attachment, b"begun")
        await asyncio.sleep(0.2)  # until it sleeps
        await attachment.write(b"\x03")
        said = await everything(attachment)
        assert (await attachment.ended()).exit_code == code
    assert b"on\r\n" not in said


async def test_one_that_takes_too_much_memory_is_ended_and_said_to_be(node: Node) -> None:
    spec = await command(node, "python -c 'hog = bytearray(2**30)'", PIPES)
    async with node.runtime.attached(spec) as attachment:
        await everything(attachment)
        assert await attachment.ended() == Exited(137, out_of_memory=True)
