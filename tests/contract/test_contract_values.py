"""Values: what is allowed once is allowed for ever, and nothing hostile is allowed."""

import subprocess
from ipaddress import ip_address
from typing import get_args
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from support.contract_samples import ALLOWED, REFUSED
from support.contract_strategies import repository_urls, values
from windlass_contracts import source_values
from windlass_contracts import values as contract
from windlass_contracts.config import DeploymentConfig, HttpProbe, Limits
from windlass_contracts.events.deployment import DeploymentRequested, LogRange, VariableVersion

_VALUES = {**vars(source_values), **vars(contract)}


def adapter(name: str) -> TypeAdapter[str]:
    return TypeAdapter(_VALUES[name])


def accepts(name: str, text: str) -> bool:
    try:
        adapter(name).validate_python(text, strict=True)
    except ValidationError:
        return False
    return True


def pairs(table: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(name, text) for name, texts in table.items() for text in texts]


@pytest.mark.parametrize(("name", "text"), pairs(ALLOWED))
def test_what_was_published_as_valid_stays_valid_and_as_it_is(name: str, text: str) -> None:
    assert adapter(name).validate_python(text, strict=True) == text


@pytest.mark.parametrize(("name", "text"), pairs(REFUSED))
def test_what_no_reader_expects_is_refused(name: str, text: str) -> None:
    assert not accepts(name, text)


def test_each_kind_of_text_has_its_samples() -> None:
    texts = {name for name, kind in _VALUES.items() if get_args(kind)[:1] == (str,)}

    assert ALLOWED.keys() == REFUSED.keys() == texts


@settings(max_examples=300)
@given(
    st.text(
        st.one_of(
            st.sampled_from("/.@{}~^:?*[\\-lock\x7f \t"),
            st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
        ),
        min_size=1,
        max_size=12,
    )
)
@example("a.lock")
@example("a.lock/b")
@example("@")
@example("a/@")
@example("a/.b")
@example("a@{b")
@example("\u2028")
def test_git_itself_agrees_about_what_is_a_ref(ref: str) -> None:
    judged = subprocess.run(["git", "check-ref-format", "--allow-onelevel", ref], check=False).returncode == 0

    # A leading dash is fine for git where it stands as a ref, and an option where it stands as an argument.
    assert accepts("GitRef", ref) is (judged and not ref.startswith("-"))


@given(repository_urls)
def test_a_repositorys_address_names_a_host_and_nobodys_password(url: str) -> None:
    parts = urlsplit(url)

    assert accepts("RepositoryUrl", url)
    assert parts.hostname
    assert not accepts("RepositoryUrl", url.replace("://", "://user:secret@"))
    assert not accepts("RepositoryUrl", url + "?token=secret")


@given(st.text(max_size=60).map(lambda text: f"https://git.example.com{text}"))
def test_whatever_is_written_behind_a_host_leads_to_no_other(url: str) -> None:
    if accepts("RepositoryUrl", url):
        assert (urlsplit(url).hostname or "").startswith("git.example.com")
        assert not urlsplit(url).username


@given(values(contract.HttpPath))
def test_a_probes_path_never_leads_to_another_host(path: str) -> None:
    assert urlsplit(urljoin("http://10.0.0.1:8000", path)).netloc == "10.0.0.1:8000"
    assert path.isascii()
    assert path.isprintable()


@given(values(contract.HostName))
def test_a_host_name_is_one_that_every_resolver_takes(host: str) -> None:
    assert len(host) <= 253
    assert all(1 <= len(label) <= 63 and label.strip("-") == label for label in host.split("."))
    with pytest.raises(ValueError, match="does not appear to be"):
        ip_address(host)


@given(values(contract.Slug), values(contract.Slug))
def test_two_slugs_never_make_anothers_address(one: str, other: str) -> None:
    """Addresses that Windlass makes have two dashes in a row, which no slug has."""
    assert "--" not in one
    assert f"{one}--{other}".split("--", 1) == [one, other]


@given(values(source_values.SourceFolder))
def test_a_folder_stays_inside_its_repository(folder: str) -> None:
    assert not {"..", ".", ""} & set(folder.split("/"))


def test_a_range_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValidationError, match="first is behind last"):
        LogRange(source="build-1", first=2, last=1)


def test_a_probe_that_no_answer_satisfies_is_refused() -> None:
    with pytest.raises(ValidationError, match="no answer would do"):
        HttpProbe(status_min=300, status_max=200)


@pytest.mark.parametrize(
    ("field", "value"), [("memory_bytes", 1), ("cpu_millis", 0), ("processes", 40_000), ("memory_bytes", 2**53)]
)
def test_limits_out_of_range_are_refused_by_name(field: str, value: int) -> None:
    with pytest.raises(ValidationError, match=field):
        Limits.model_validate({field: value})


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 1.5, "1", True, -1, 0, 65_536])
def test_a_port_is_a_whole_number_in_range(number: object) -> None:
    with pytest.raises(ValidationError, match="port"):
        DeploymentConfig.model_validate({"port": number}, strict=True)


def test_a_variable_with_two_values_is_refused() -> None:
    twice = tuple(VariableVersion(name="A", secret=secret) for secret in _IDS)
    with pytest.raises(ValidationError, match="a variable has one value"):
        DeploymentRequested.model_validate(
            {
                "environment": _IDS[0],
                "source": {"kind": "git", "repository": "https://git.example.com/a"},
                "trigger": "api",
                "config": {},
                "variables": twice,
            }
        )


_IDS = tuple(f"{n}1111111-1111-4111-8111-111111111111" for n in (1, 2))
