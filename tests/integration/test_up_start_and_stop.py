"""`windlass up` and `down` with real servers and stand-in services."""

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from support.up_process import UpProcess, descendants


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]) -> Iterator[UpProcess]:
    folder = tmp_path_factory.mktemp("up")
    with UpProcess(folder / "home", free_port(), folder / "config") as up:
        yield up.wait_until_ready()


@pytest.fixture
def another(tmp_path: Path, free_port: Callable[[], int]) -> UpProcess:
    return UpProcess(tmp_path / "home", free_port(), tmp_path / "config")


def test_everything_runs_as_a_descendant_of_one_process(running: UpProcess) -> None:
    names = {each.name for each in running.descendants()}

    services = {"wl-gateway", "wl-builder", "wl-monitor", "wl-router", "wl-logs"}
    assert names >= {"nats-server", "postgres", "traefik"} | services


async def test_a_service_enters_its_own_database_and_no_other(running: UpProcess) -> None:
    own = await asyncpg.connect(running.database_url("router", "router"))
    await own.execute("CREATE SCHEMA projections")
    await own.close()

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(running.database_url("router", "gateway"))


def test_nats_answers_nobody_without_a_key(running: UpProcess) -> None:
    host, _, port = running.nats_url.removeprefix("nats://").partition(":")

    with socket.create_connection((host, int(port))) as client, client.makefile("rwb") as lines:
        greeting = lines.readline()
        lines.write(b"CONNECT {}\r\nPING\r\n")
        lines.flush()

        assert b'"auth_required":true' in greeting
        assert b"Authorization Violation" in lines.readline()


def test_secrets_are_readable_by_their_owner_alone(running: UpProcess) -> None:
    secret = [
        "credentials.json",
        "secrets.keys",
        "sessions.keys",
        "nkeys/gateway.seed",
        "cli.json",
        "nats/nats.conf",
        "traefik/traefik.yml",
    ]

    modes = {name: stat.S_IMODE((running.home / name).stat().st_mode) for name in secret}

    assert modes == dict.fromkeys(secret, 0o600)


def test_a_second_up_on_the_same_state_says_who_runs_it_and_what_to_do(
    running: UpProcess, tmp_path: Path, free_port: Callable[[], int]
) -> None:
    with UpProcess(running.home, free_port(), tmp_path) as second:
        said = " ".join(second.rest())

    assert second.exit_code() == 1
    assert f"already running on {running.home}: process {running.pid}" in said
    assert f"http://windlass.localhost:{running.port}" in said
    assert "windlass down" in said
    assert "--home" in said


def test_a_port_in_use_is_named_with_its_process_and_the_option(another: UpProcess) -> None:
    with socket.create_server(("127.0.0.1", another.port)), another:
        said = " ".join(another.rest())

    assert another.exit_code() == 1
    assert f"Port {another.port} is in use by" in said
    assert f"(process {os.getpid()})" in said
    assert "--port" in said


def test_ctrl_c_stops_from_the_gateway_to_the_data_and_says_which_apps_go_on(another: UpProcess) -> None:
    with another:
        started = another.wait_until_ready().descendants()
        another.send(signal.SIGINT)
        said = another.rest()

    assert another.exit_code() == 0
    assert said[0] == "Stopping. These apps go on running, and answer again once the proxy is back: shop."
    assert [line.split(":")[0] for line in said[1:-1]] == [
        "Stopping gateway",
        "Stopping builder and monitor and router and logs and keeper",
        "Stopping services' parent",
        "Stopping Traefik",
        "Stopping NATS and PostgreSQL",
    ]
    assert all(each.ended() for each in started)


def test_a_signal_while_it_starts_stops_what_has_started(another: UpProcess) -> None:
    with another:
        another.wait_for("NATS: ")
        started = another.descendants()
        another.send(signal.SIGTERM)
        another.rest()

    assert another.exit_code() == 0
    assert all(each.ended() for each in started)


def test_a_second_ctrl_c_does_not_wait_for_a_service_that_hangs(another: UpProcess) -> None:
    with another:
        started = another.wait_until_ready().descendants()
        (another.home / "gateway.stubborn").touch()
        another.send(signal.SIGINT)
        another.wait_for("go on running")
        another.send(signal.SIGINT)
        another.wait_for("Stopping at once")

    assert all(each.ended() for each in started)


def test_a_service_that_does_not_stop_in_time_is_killed_and_the_rest_stops_in_order(another: UpProcess) -> None:
    with another:
        started = another.wait_until_ready().descendants()
        (another.home / "logs.stubborn").touch()
        another.send(signal.SIGTERM)
        another.wait_for("logs did not stop within 10 s and is killed")
        another.wait_for("Stopping NATS and PostgreSQL")

    assert all(each.ended() for each in started)


def test_a_service_that_cannot_start_ends_the_start_with_its_reason_and_log(another: UpProcess) -> None:
    another.home.mkdir()
    (another.home / "router.broken").touch()
    with another:
        another.wait_for("Starting it again")
        said = another.rest()

    assert another.exit_code() == 1
    sentence = next(line for line in said if line.startswith("router did not start") and "Starting" not in line)
    assert "RuntimeError: this service is broken" in sentence
    assert str(another.home / "logs" / "router.log") in said[said.index(sentence) + 1]


def test_down_stops_the_installation_and_waits_for_its_end(another: UpProcess) -> None:
    with another:
        started = another.wait_until_ready().descendants()
        down = _down(another.home)

        assert down.returncode == 0, down.stderr
        assert all(each.ended(0) for each in started)


def test_down_where_nothing_runs_says_so(tmp_path: Path) -> None:
    down = _down(tmp_path)

    assert down.returncode == 1
    assert "not running" in down.stderr


def test_a_state_folder_with_a_long_path_works(tmp_path: Path, free_port: Callable[[], int]) -> None:
    home = tmp_path / ("long" * 20) / "home"
    with UpProcess(home, free_port(), tmp_path / "config") as up:
        up.wait_until_ready()


def test_closing_the_terminal_stops_everything_in_order(another: UpProcess) -> None:
    terminal, theirs = os.openpty()
    with _started(["setsid", "--ctty", *another.command], theirs, another.environment) as up:
        _read_until(terminal, b"after ready")
        started = descendants(up.pid)

        os.close(terminal)

        assert up.wait(120) == 0
        assert all(each.ended() for each in started)


def test_an_output_that_nobody_reads_any_more_does_not_disturb_the_stop(another: UpProcess) -> None:
    output, theirs = os.pipe()
    with _started(another.command, theirs, another.environment) as up:
        _read_until(output, b"after ready")
        started = descendants(up.pid)
        os.close(output)

        up.terminate()

        assert up.wait(120) == 0
        assert all(each.ended() for each in started)


@contextmanager
def _started(command: list[str], output: int, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Start it with the descriptor as input and output, which is then closed here."""
    up = subprocess.Popen(command, stdin=output, stdout=output, stderr=output, env=environment)
    os.close(output)
    try:
        yield up
    finally:
        up.kill()
        up.wait()


def _read_until(descriptor: int, words: bytes) -> None:
    said = b""
    while words not in said:
        read = os.read(descriptor, 4096)
        assert read, said
        said += read


def _down(home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("windlass"), "down", "--home", str(home)],
        check=False,
        capture_output=True,
        text=True,
    )
