"""What people write for a repository becomes one URL, or an answer that names the way out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from windlass_contracts.source_values import RepositoryUrl
from windlass_contracts.values import Slug
from windlass_gateway.domain.refusals import InvalidInputError
from windlass_gateway.domain.repository import repository_url, slug_from_repository


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("https://github.com/owner/shop.git", "https://github.com/owner/shop.git"),
        ("  https://github.com/owner/shop\n", "https://github.com/owner/shop"),
        ("git@github.com:owner/shop.git", "ssh://git@github.com/owner/shop.git"),
        ("github.com:owner/shop", "ssh://git@github.com/owner/shop"),
        ("file:///srv/git/shop", "file:///srv/git/shop"),
        ("ssh://git@host:2222/shop", "ssh://git@host:2222/shop"),
    ],
)
def test_addresses_are_taken_as_git_takes_them(written: str, url: str) -> None:
    assert repository_url(written) == url


@pytest.mark.parametrize(
    "written",
    [
        "",
        "shop",
        "/srv/git/shop",
        "https://user:secret@github.com/owner/shop",
        "https://token@github.com/owner/shop",
        "https://github.com/owner/shop?token=1",
        "ext::sh -c whoami",
        "--upload-pack=evil",
        "https://[github.com/owner",
        "javascript:alert(1)",
        "https://github.com/a\x00b",
        "git@host:owner/shop\nevil",
    ],
)
def test_what_is_no_address_is_refused_with_a_way_out(written: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        repository_url(written)
    assert refused.value.field == "git"
    assert refused.value.next_step


def test_a_refused_address_never_repeats_its_password() -> None:
    with pytest.raises(InvalidInputError) as refused:
        repository_url("https://user:hunter2@github.com/owner/shop")
    assert "hunter2" not in refused.value.detail + refused.value.next_step


@given(st.text(max_size=200))
def test_any_text_is_either_an_address_or_refused(text: str) -> None:
    try:
        url = repository_url(text)
    except InvalidInputError:
        return
    assert TypeAdapter(RepositoryUrl).validate_python(url) == url


@pytest.mark.parametrize(
    ("url", "slug"),
    [
        ("https://github.com/owner/My_Shop.git", "my-shop"),
        ("https://github.com/owner/shop--two/", "shop-two"),
        ("file:///srv/git/" + "x" * 60, "x" * 40),
        ("https://github.com/owner/" + "x" * 39 + "-y", "x" * 39),
    ],
)
def test_projects_are_named_after_their_repository(url: str, slug: str) -> None:
    assert slug_from_repository(url) == slug


@pytest.mark.parametrize("url", ["https://github.com/owner/windlass", "https://github.com/", "https://host/a/..."])
def test_names_that_cannot_be_made_ask_for_another(url: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        slug_from_repository(url)
    assert refused.value.field == "project"


@given(st.text(min_size=1, max_size=80))
def test_every_suggested_name_is_a_valid_one(name: str) -> None:
    try:
        slug = slug_from_repository(f"https://host/owner/{name}")
    except (InvalidInputError, ValueError):
        return
    assert TypeAdapter(Slug).validate_python(slug) == slug
