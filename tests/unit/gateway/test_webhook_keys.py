"""Secrets of webhooks are derived: always the same, each another, and none says anything of the key."""

import base64
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass_contracts.ids import ProjectId
from windlass_gateway.domain.webhook_keys import WebhookKeys

KEYS = WebhookKeys(b"key of one installation")
ONE, OTHER = ProjectId(UUID(int=1)), ProjectId(UUID(int=2))


def test_every_secret_is_another_and_stays_what_it_is() -> None:
    secrets = [KEYS.github_secret, KEYS.project_secret(ONE), KEYS.project_secret(OTHER)]
    again = WebhookKeys(b"key of one installation")
    assert secrets == [again.github_secret, again.project_secret(ONE), again.project_secret(OTHER)]
    assert len({*secrets, WebhookKeys(b"another").github_secret}) == 4
    assert len(base64.b64decode(secrets[1].removeprefix("whsec_"), validate=True)) == 32
    assert "key of" not in repr(KEYS)


def test_a_person_has_one_pseudonym_for_each_installation() -> None:
    assert KEYS.person("github:Ada") == KEYS.person("github:ada") != KEYS.person("email:ada")
    assert KEYS.person("github:ada") != WebhookKeys(b"another").person("github:ada")
    assert KEYS.note("github:1", ONE) != KEYS.note("github:1", OTHER)


def test_the_published_example_of_githubs_signature_is_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    # https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    monkeypatch.setattr(WebhookKeys, "github_secret", "It's a Secret to Everybody")
    published = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert KEYS.signed_by_github(b"Hello, World!", published)
    assert not KEYS.signed_by_github(b"Hello, World", published)


@given(st.one_of(st.none(), st.text(max_size=80)), st.binary(max_size=50))
def test_no_other_signature_is_taken(signature: str | None, body: bytes) -> None:
    assert not KEYS.signed_by_github(body, signature)
