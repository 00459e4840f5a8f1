"""Who needs a runner waits for its preparation, and not a moment longer."""

import fcntl
from pathlib import Path

import pytest

from windlass.up.home import Home
from windlass.up.more_runners import preparation, prepare_more_runners
from windlass.up.narrator import PlainNarrator


def waits(home: Home) -> bool:
    with home.runners_lock.open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def test_preparation_is_waited_for_until_it_ends(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with preparation(home) as going_on:
        assert waits(home)
        going_on.end()
        assert not waits(home)
    with preparation(home):
        assert waits(home)
    assert not waits(home)


async def test_plain_processes_need_no_images(capsys: pytest.CaptureFixture[str]) -> None:
    await prepare_more_runners("process", PlainNarrator())
    assert capsys.readouterr().out == ""


async def test_preparation_that_fails_is_said_and_stops_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent.sock")
    await prepare_more_runners("docker", PlainNarrator())
    assert "Not all runners could be prepared" in capsys.readouterr().out
