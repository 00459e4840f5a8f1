"""The router's settings: what cannot be right is refused by name, before anything is written."""

from collections.abc import Mapping

import pytest
from pydantic import ValidationError

from support.running_service import INSTALLATION
from windlass_router.settings import RouterSettings

GOOD = {
    "INSTALLATION": INSTALLATION,
    "TEAM": "00000000-0000-0000-0000-000000000001",
    "NODE": "one",
    "HOME": "/srv/windlass",
    "NATS_URL": "nats://127.0.0.1:4222",
    "DATABASE_URL": "postgresql:///router",
    "SECRETS_KEYS_FILE": "/srv/windlass/secrets.keys",
    "GATEWAY_PORT": "4000",
    "TRAEFIK_DIR": "/srv/windlass/traefik/dynamic",
    "TRAEFIK_URL": "http://127.0.0.1:8080",
    "TRAEFIK_API_URL": "http://127.0.0.1:8081/a-secret/",
    "MARKER_PATH": "/a-secret-path-of-tests",
}


def settings(monkeypatch: pytest.MonkeyPatch, values: Mapping[str, str]) -> RouterSettings:
    for name, value in {**GOOD, **values}.items():
        monkeypatch.setenv(f"WINDLASS_{name}", value)
    return RouterSettings()


def test_urls_lose_their_last_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings(monkeypatch, {})
    assert found.traefik_url == "http://127.0.0.1:8080"
    assert found.traefik_api_url == "http://127.0.0.1:8081/a-secret"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRAEFIK_DIR", "dynamic"),
        ("TRAEFIK_URL", "localhost"),
        ("TRAEFIK_API_URL", "ftp://127.0.0.1"),
        ("TRAEFIK_API_URL", "https://127.0.0.1"),
        ("TRAEFIK_API_URL", "http://somebody@127.0.0.1"),
        ("TRAEFIK_API_URL", "http://127.0.0.1/?a=b"),
        ("MARKER_PATH", "/short"),
        ("MARKER_PATH", "/a-secret-path`) || Host(`x"),
        ("GATEWAY_PORT", "0"),
        ("DOMAIN", "My Domain"),
        ("DOMAIN", "apps.example.com."),
    ],
)
def test_what_cannot_be_right_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    with pytest.raises(ValidationError, match=name.lower()):
        settings(monkeypatch, {name: value})
