"""The keys of sessions: made where there are none, changed every 30 days, and never so that somebody is signed out."""

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from windlass.up.errors import StateError
from windlass.up.home import Home
from windlass.up.session_keys import CHANGED_AFTER, keep_session_keys
from windlass_eventlog.keys_file import read_keys

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def keys_at(home: Home, now: datetime) -> list[str]:
    """Return the keys after a start at that moment, written then."""
    before = home.session_keys.read_text() if home.session_keys.exists() else ""
    keep_session_keys(home, now)
    after = home.session_keys.read_text()
    if after != before:
        os.utime(home.session_keys, (now.timestamp(), now.timestamp()))
    return after.split()


def test_an_installation_without_keys_gets_one_that_nobody_else_can_read(home: Home) -> None:
    (key,) = keys_at(home, NOW)
    assert Fernet(key)
    assert stat.S_IMODE(home.session_keys.stat().st_mode) == 0o600


def test_a_young_key_stays(home: Home) -> None:
    assert keys_at(home, NOW) == keys_at(home, NOW + CHANGED_AFTER)


def test_an_old_key_is_followed_by_a_new_one_and_still_opens_what_it_closed(home: Home) -> None:
    (first,) = keys_at(home, NOW)
    cookie = read_keys(home.session_keys).encrypt(b"a session")
    later = NOW + CHANGED_AFTER + timedelta(seconds=1)
    newest, kept = keys_at(home, later)
    assert (kept, newest != first) == (first, True)
    assert read_keys(home.session_keys).decrypt(cookie) == b"a session"
    assert keys_at(home, later + timedelta(days=1)) == [newest, first]


def test_only_the_key_before_is_kept(home: Home) -> None:
    (first,) = keys_at(home, NOW)
    keys_at(home, NOW + timedelta(days=31))
    assert first not in keys_at(home, NOW + timedelta(days=62))


def test_a_file_that_cannot_be_read_says_what_to_do(home: Home) -> None:
    home.session_keys.mkdir()
    os.utime(home.session_keys, (0, 0))
    with pytest.raises(StateError, match="signs in again"):
        keep_session_keys(home, NOW)
