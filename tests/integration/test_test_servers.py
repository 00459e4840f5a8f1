"""The servers that other tests stand on: real, empty, and gone with the test."""

import socket
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import nats
import pytest

from support.nats import running_nats
from support.postgres import PostgresServer
from support.server_process import ServerCommand, ServerDidNotStartError, ServerProcess


async def test_every_test_gets_an_empty_jetstream(nats_url: str) -> None:
    connection = await nats.connect(nats_url)
    jetstream = connection.jetstream()
    await jetstream.add_stream(name="ONCE", subjects=["once.>"])
    assert (await jetstream.publish("once.more", b"")).seq == 1
    await connection.close()


async def test_the_shared_jetstream_answers(nats_server: str) -> None:
    connection = await nats.connect(nats_server)
    assert connection.is_connected
    await connection.close()


@pytest.mark.parametrize("_time", ["first", "second"])
async def test_every_test_gets_an_empty_database(database_url: str, _time: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("CREATE TABLE once (id int)")
    await connection.close()


async def test_a_database_is_reached_by_its_socket_alone(postgres_server: PostgresServer) -> None:
    connection = await asyncpg.connect(postgres_server.url("postgres"))
    assert await connection.fetchval("SHOW listen_addresses") == ""
    assert await connection.fetchval("SHOW fsync") == "on"
    await connection.close()


def test_nothing_answers_once_the_server_is_left(tmp_path: Path) -> None:
    with running_nats(tmp_path) as url:
        pass
    port = urlsplit(url).port
    assert port is not None
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=5):
        pass


def test_a_server_that_ends_at_once_says_its_last_words(tmp_path: Path) -> None:
    command = ServerCommand(["sh", "-c", "echo no room left >&2; exit 1"], b"ready", tmp_path / "log")
    with pytest.raises(ServerDidNotStartError, match="no room left"), ServerProcess(command):
        pass
