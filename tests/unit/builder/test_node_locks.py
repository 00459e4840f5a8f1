"""Locks of a node: one holder at a time among tasks and processes, and none after its holder's death."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from windlass_builder.adapters.node_locks import NodeLocks
from windlass_builder.application.locks import Locks, OwnLocks

_HOLD = """
import asyncio, sys
from pathlib import Path
from windlass_builder.adapters.node_locks import NodeLocks
release = NodeLocks(Path(sys.argv[1])).attempt("shop")
print("held" if release else "refused", flush=True)
sys.stdin.read()
"""


@pytest.fixture(params=["own", "node"])
def locks(request: pytest.FixtureRequest, tmp_path: Path) -> Locks:
    return OwnLocks() if request.param == "own" else NodeLocks(tmp_path / "locks")


@contextmanager
def held_elsewhere(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        yield other


async def test_lock_is_held_by_one_at_a_time_in_the_order_of_asking(locks: Locks) -> None:
    held: list[int] = []

    async def hold(number: int) -> None:
        async with locks.alone("shop"):
            assert locks.attempt("shop") is None
            held.append(number)
            await asyncio.sleep(0)

    await asyncio.gather(*map(hold, range(5)))
    assert held == list(range(5))
    assert locks.attempt("shop") is not None


async def test_who_is_canceled_while_waiting_leaves_the_lock_to_the_next(locks: Locks) -> None:
    release = locks.attempt("shop")
    assert release is not None
    waiting = [asyncio.create_task(_take(locks)) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    release()
    waiting[1].cancel()  # at the moment when it becomes its own
    await asyncio.gather(*waiting, return_exceptions=True)
    assert not waiting[2].cancelled()
    assert locks.attempt("shop") is not None


async def _take(locks: Locks) -> None:
    async with locks.alone("shop"):
        pass


async def test_other_names_are_other_locks(locks: Locks) -> None:
    assert locks.attempt("shop") is not None
    assert locks.attempt("blog") is not None


async def test_locks_are_forgotten_once_nobody_holds_them(tmp_path: Path) -> None:
    locks = NodeLocks(tmp_path)
    await _take(locks)
    assert not os.listdir(tmp_path)  # noqa: PTH208 - iterdir would block, says another rule
    assert not locks._own._waiting


async def test_lock_of_a_process_that_is_killed_is_free_and_goes_to_who_waits(tmp_path: Path) -> None:
    locks = NodeLocks(tmp_path)
    with held_elsewhere(tmp_path) as other:
        assert locks.attempt("shop") is None
        waiting = asyncio.create_task(_take(locks))
        await asyncio.sleep(0)
        other.kill()
        await asyncio.wait_for(waiting, 60)
    assert locks.attempt("shop") is not None


async def test_who_gives_up_waiting_for_another_process_leaves_nothing_locked(tmp_path: Path) -> None:
    locks = NodeLocks(tmp_path)
    with held_elsewhere(tmp_path) as other:
        waiting = asyncio.create_task(_take(locks))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        other.kill()
        other.wait()
        await asyncio.wait_for(_take(locks), 60)
