"""The state folder and the client's configuration: what is kept, and what is said where it is damaged."""

import json
import ssl
import stat
from pathlib import Path
from uuid import UUID

import pytest

from windlass.up.client_config import Profile, config_path, write_client_config
from windlass.up.default_certificate import keep_default_certificate
from windlass.up.errors import AlreadyRunningError, StateError
from windlass.up.home import Home
from windlass.up.installation import open_installation
from windlass.up.lock import holder, running_lock
from windlass.up.nats_keys import keep_nats_keys

PROFILE = Profile(installation="00000000", team=UUID(int=1), api_url="http://127.0.0.1:1", token="wl_1")  # noqa: S106


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return _home(tmp_path / "home")


@pytest.fixture(autouse=True)
def _own_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def test_an_installation_stays_what_it_was_at_its_first_start(home: Home) -> None:
    assert open_installation(home) == open_installation(home)


def test_a_first_start_that_was_cut_short_begins_again(home: Home) -> None:
    home.credentials.write_text('{"postgres_pass')

    open_installation(home)

    assert open_installation(home)[0].id


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 2}', '{"format": 1, "id": "../../etc"}'])
def test_a_damaged_installation_is_refused_and_left_as_it_is(home: Home, content: str) -> None:
    open_installation(home)
    home.installation.write_text(content)

    with pytest.raises(StateError, match=r"installation\.json"):
        open_installation(home)

    assert home.installation.read_text() == content


@pytest.mark.parametrize("name", ["credentials.json", "secrets.keys"])
def test_missing_secrets_are_never_replaced_by_new_ones(home: Home, name: str) -> None:
    open_installation(home)
    (home.root / name).unlink()

    with pytest.raises(StateError, match=r"Restore it from a backup"):
        open_installation(home)

    assert not (home.root / name).exists()


def test_an_installation_with_one_password_for_all_is_taken_over(home: Home) -> None:
    _, credentials = open_installation(home)
    former = {**credentials.model_dump(), "nats_password": "geheim"}
    home.credentials.write_text(json.dumps(former))

    assert open_installation(home)[1] == credentials
    assert "geheim" not in home.credentials.read_text()


def test_each_user_of_the_log_has_a_key_that_stays(home: Home) -> None:
    keys = keep_nats_keys(home)

    assert set(keys) == {"gateway", "builder", "monitor", "router", "logs", "provisioner"}
    assert len(set(keys.values())) == len(keys)
    assert keep_nats_keys(home) == keys
    assert {stat.S_IMODE(home.nats_seed(user).stat().st_mode) for user in keys} == {0o600}
    assert stat.S_IMODE(home.nats_seed("logs").parent.stat().st_mode) == 0o700


def test_a_lost_key_is_made_anew_and_a_damaged_one_is_named_but_not_quoted(home: Home) -> None:
    keys = keep_nats_keys(home)
    home.nats_seed("router").unlink()
    assert {user for user, key in keep_nats_keys(home).items() if key != keys[user]} == {"router"}

    for damaged in ("", "geheim", "SUAGEHEIM", "\u00e4" * 58):
        home.nats_seed("router").write_text(damaged)
        with pytest.raises(StateError, match=r"router\.seed is damaged") as refusal:
            keep_nats_keys(home)
        assert "geheim" not in f"{refusal.value.what}{refusal.value.remedy}".lower()


def test_damaged_credentials_are_not_quoted(home: Home) -> None:
    open_installation(home)
    home.credentials.write_text('{"api_token": "geheim", "surplus": "verborgen"}')

    with pytest.raises(StateError) as refusal:
        open_installation(home)

    assert "surplus" in refusal.value.what
    assert "geheim" not in str(refusal.value)
    assert "verborgen" not in str(refusal.value)


def test_an_installation_from_before_webhooks_gets_their_key_once_and_keeps_all_else(home: Home) -> None:
    _, before = open_installation(home)
    stored = json.loads(home.credentials.read_text())
    del stored["webhook_key"]
    home.credentials.write_text(json.dumps(stored))

    _, made = open_installation(home)
    _, again = open_installation(home)

    assert made == again == before.model_copy(update={"webhook_key": made.webhook_key})
    assert len(made.webhook_key) >= 32
    assert made.webhook_key != before.webhook_key
    assert home.credentials.stat().st_mode & 0o077 == 0


def test_the_certificate_that_traefik_shows_by_default_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "default.pem"
    keep_default_certificate(path)
    made = path.read_bytes()
    keep_default_certificate(path)

    assert path.read_bytes() == made
    assert path.stat().st_mode & 0o077 == 0
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path)


def test_a_state_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").touch()

    with pytest.raises(StateError, match="--home"):
        _home(tmp_path / "home")


def test_the_lock_names_its_holder_and_is_free_afterwards(home: Home) -> None:
    with running_lock(home) as lock:
        lock.announce("http://127.0.0.1:8090")
        with pytest.raises(AlreadyRunningError, match=r"http://127\.0\.0\.1:8090"), running_lock(home):
            pass

    assert holder(home) is None


def test_the_first_installation_becomes_the_clients_default_and_the_next_only_once_it_has_stopped(
    home: Home, tmp_path: Path
) -> None:
    other = _home(tmp_path / "other")
    with running_lock(home):
        assert write_client_config(home, PROFILE)
        assert not write_client_config(other, PROFILE)
    assert write_client_config(other, PROFILE)

    config = json.loads(config_path().read_text())
    assert config["default"] == str(other.root)
    assert set(config["installations"]) == {str(home.root), str(other.root)}
    assert config_path().stat().st_mode & 0o777 == 0o600


def test_a_damaged_client_configuration_is_refused_and_not_quoted(home: Home) -> None:
    config_path().parent.mkdir(parents=True)
    config_path().write_text('{"default": "geheim"}')

    with pytest.raises(StateError, match="damaged") as refusal:
        write_client_config(home, PROFILE)

    assert "geheim" not in str(refusal.value)
    assert json.loads(home.client.read_text())["api_url"] == PROFILE.api_url


def _home(root: Path) -> Home:
    home = Home(root)
    home.prepare()
    return home
