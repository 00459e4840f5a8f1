"""Whatever is killed comes back, or goes with the supervisor; what was acknowledged is there afterwards."""

import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import asyncpg
import nats
import pytest
from nats.aio.client import Client

from support.up_process import UpProcess, Witness


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]) -> Iterator[UpProcess]:
    folder = tmp_path_factory.mktemp("up")
    with UpProcess(folder / "home", free_port(), folder / "config") as up:
        yield up.wait_until_ready()


def test_a_killed_service_is_started_again_and_that_is_said(running: UpProcess) -> None:
    before = running.services()

    _kill(running.descendant("wl-builder"))

    said = running.wait_for("builder was ended by SIGKILL")
    assert "Starting it again in 0.1 s" in said
    assert str(running.home / "logs" / "builder.log") in said
    running.wait_for("builder runs again")
    after = running.services()
    assert after.pop("wl-builder") != before.pop("wl-builder")
    assert after == before


@pytest.mark.parametrize(
    ("process", "name"), [("nats-server", "NATS"), ("postgres", "PostgreSQL"), ("traefik", "Traefik")]
)
def test_a_killed_server_comes_back_and_the_services_stay(running: UpProcess, process: str, name: str) -> None:
    before = running.services()

    _kill(running.descendant(process))

    running.wait_for(f"{name} was ended by SIGKILL")
    running.wait_for(f"{name} runs again")
    assert running.services() == before


def test_all_services_come_back_when_their_common_parent_is_killed(running: UpProcess) -> None:
    before = running.services()

    _kill(running.parent_of_services)

    running.wait_for("services' parent was ended by SIGKILL")
    for _ in range(len(before) + 1):
        running.wait_for("runs again")
    after = running.services()
    assert set(after) == set(before)
    assert set(after.values()).isdisjoint(before.values())


async def test_a_killed_supervisor_leaves_nothing_running_and_nothing_acknowledged_is_lost(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    with UpProcess(tmp_path / "home", free_port(), tmp_path / "config") as first:
        first.wait_until_ready()
        await _write(first)
        started = first.descendants()

        first.send(signal.SIGKILL)

        assert [each.name for each in started if not each.ended()] == []
    with UpProcess(first.home, first.port, tmp_path / "config") as second:
        second.wait_until_ready()
        assert await _read(second) == ("kept", b"kept")


async def test_killing_every_process_at_once_loses_nothing_acknowledged(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    with UpProcess(tmp_path / "home", free_port(), tmp_path / "config") as first:
        first.wait_until_ready()
        await _write(first)
        started = first.descendants()
        first.send(signal.SIGSTOP)  # so that it starts nothing again meanwhile
        for each in started:
            with suppress(ProcessLookupError):  # it went with its parent
                signal.pidfd_send_signal(each.descriptor, signal.SIGKILL)
        first.send(signal.SIGKILL)
    with UpProcess(first.home, first.port, tmp_path / "config") as second:
        second.wait_until_ready()
        assert await _read(second) == ("kept", b"kept")


def test_a_start_right_after_a_kill_waits_for_the_processes_of_the_killed_one(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    with UpProcess(tmp_path / "home", free_port(), tmp_path / "config") as first:
        lingering = first.wait_until_ready().descendant("postgres")
        signal.pidfd_send_signal(lingering.descriptor, signal.SIGSTOP)
        first.send(signal.SIGKILL)
        assert first.exit_code() == -signal.SIGKILL
        with UpProcess(first.home, first.port, tmp_path / "config") as second:
            second.wait_for("Waiting for processes of an earlier start")
            signal.pidfd_send_signal(lingering.descriptor, signal.SIGCONT)
            second.wait_until_ready()


KEPT = f"evt.logs.{uuid4()}._.reaction.{uuid4()}"


def _kill(process: Witness) -> None:
    signal.pidfd_send_signal(process.descriptor, signal.SIGKILL)
    assert process.ended()


async def _write(up: UpProcess) -> None:
    database = await asyncpg.connect(up.database_url("logs", "logs"))
    await database.execute("CREATE TABLE kept AS SELECT 'kept' AS word")
    await database.close()
    log = await _log(up)
    await log.jetstream().publish(KEPT, b"kept")
    await log.close()


async def _read(up: UpProcess) -> tuple[str, bytes | None]:
    database = await asyncpg.connect(up.database_url("logs", "logs"))
    word = await database.fetchval("SELECT word FROM kept")
    await database.close()
    log = await _log(up)
    message = await log.jetstream().get_msg("EVENTS", 1, KEPT, direct=True, next=True)
    await log.close()
    return word, message.data


async def _log(up: UpProcess) -> Client:
    return await nats.connect(up.nats_url, nkeys_seed=up.nats_seed("logs"), inbox_prefix=b"_INBOX_logs")
