"""A service's settings: complete, from the environment, and no password shown."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from windlass_eventlog.settings import CommonSettings

COMPLETE = {
    "WINDLASS_INSTALLATION": "0a1b2c3d",
    "WINDLASS_TEAM": "5f0c5c1e-7c1f-4b5a-9a44-0a3d4d6f2c11",
    "WINDLASS_NODE": "node-1",
    "WINDLASS_HOME": "/var/lib/windlass",
    "WINDLASS_NATS_URL": "nats://router:passw0rd@127.0.0.1:4222",
    "WINDLASS_DATABASE_URL": "postgresql://router:passw0rd@/router?host=/run/windlass",
    "WINDLASS_SECRETS_KEYS_FILE": "/var/lib/windlass/secrets.keys",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in COMPLETE.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def from_environment() -> CommonSettings:
    return CommonSettings()


@pytest.mark.usefixtures("environment")
def test_everything_comes_from_the_environment_and_passwords_are_not_shown() -> None:
    settings = from_environment()

    assert settings.home == Path("/var/lib/windlass")
    assert settings.nats_url.get_secret_value() == COMPLETE["WINDLASS_NATS_URL"]
    assert (settings.runtime, settings.domain, settings.http_port) == ("docker", "localhost", 8080)
    assert "passw0rd" not in f"{settings!r} {settings} {settings.model_dump_json()}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WINDLASS_INSTALLATION", "0A1B2C3D"),
        ("WINDLASS_TEAM", "me"),
        ("WINDLASS_HOME", "relative/folder"),
        ("WINDLASS_SECRETS_KEYS_FILE", "keys"),
        ("WINDLASS_RUNTIME", "podman"),
        ("WINDLASS_HTTP_PORT", "99999"),
    ],
)
def test_a_wrong_setting_is_named(environment: pytest.MonkeyPatch, name: str, value: str) -> None:
    environment.setenv(name, value)

    with pytest.raises(ValidationError) as error:
        from_environment()

    (problem,) = error.value.errors()
    assert str(problem["loc"][0]).upper() == name.removeprefix("WINDLASS_")
