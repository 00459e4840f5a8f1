"""Nothing that Git could take for something else gets past the checks."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass_builder.domain.repository import is_commit, ref_problem, repository_url_problem, root_problem


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/owner/repository",
        "https://github.com/owner/repository.git",
        "http://git.example.com:8080/a/b/c",
        "ssh://git@github.com/owner/repository.git",
        "git://git.example.com/repository",
        "https://[2001:db8::1]/repository",
    ],
)
def test_ordinary_addresses_are_accepted(url: str) -> None:
    assert repository_url_problem(url) is None


@given(st.text())
def test_accepted_addresses_begin_with_a_known_scheme(url: str) -> None:
    if repository_url_problem(url) is None:
        assert url.lower().startswith(("http://", "https://", "ssh://", "git://", "file:///"))


@given(st.text(alphabet="ab/.-@{}^~:?*[\\ \t\n\x7fé", max_size=12))
def test_accepted_refs_are_accepted_by_git_too(ref: str) -> None:
    if ref_problem(ref) is None:
        assert subprocess.run(["git", "check-ref-format", f"refs/heads/{ref}"], check=False).returncode == 0
        assert not ref.startswith("-")


@given(st.text(max_size=20))
def test_accepted_roots_stay_inside(root: str) -> None:
    if root_problem(root) is None:
        assert not root.startswith(("/", "-"))
        assert ".." not in root.split("/")
        assert ":" not in root


def test_only_full_lower_case_shas_are_commits() -> None:
    assert is_commit("0123456789" * 4)
    assert not any(map(is_commit, ("0123456789", "A" * 40, "g" * 40, "a" * 41, "a" * 40 + "\n")))
