"""Which installation a command means: the environment, the state folder, the user's default, in this order."""

import json
from pathlib import Path

import pytest

from windlass.connection import Connection, find_connection
from windlass.errors import NotConfiguredError
from windlass.up.client_config import Profile, write_client_config
from windlass.up.home import Home

URL = "http://127.0.0.1:9"


def write(path: Path, document: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))


def test_the_environment_wins(tmp_path: Path) -> None:
    write(tmp_path / ".windlass/cli.json", {"url": "http://elsewhere", "token": "other"})
    found = find_connection({"WINDLASS_URL": URL + "/", "WINDLASS_TOKEN": "t"}, tmp_path)
    assert found == Connection(URL, "t")


def test_what_windlass_up_writes_is_found_in_its_folder_by_its_name_and_as_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    home = Home(tmp_path / "clone/.windlass")
    home.prepare()
    team = "00000000-0000-0000-0000-000000000001"
    profile = Profile.model_validate({"installation": "0a1b2c3d", "team": team, "api_url": URL, "token": "t"})
    write_client_config(home, profile)
    elsewhere = tmp_path / "elsewhere"
    assert find_connection({}, tmp_path / "clone") == Connection(URL, "t")
    assert find_connection({"WINDLASS_HOME": str(home.root)}, elsewhere) == Connection(URL, "t")
    assert find_connection({"XDG_CONFIG_HOME": str(tmp_path / "config")}, elsewhere) == Connection(URL, "t")


def test_a_token_is_never_sent_to_another_address(tmp_path: Path) -> None:
    write(tmp_path / ".windlass/cli.json", {"url": URL, "token": "t"})
    with pytest.raises(NotConfiguredError, match="no token for http://elsewhere"):
        find_connection({"WINDLASS_URL": "http://elsewhere"}, tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url": 1}', '{"installations": {}, "default": "x"}', "\x00"])
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "windlass/config.json"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(NotConfiguredError) as refused:
        find_connection({"XDG_CONFIG_HOME": str(tmp_path)}, tmp_path / "elsewhere")
    assert str(path) in refused.value.what
    assert refused.value.remedy
