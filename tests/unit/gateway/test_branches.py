"""Which environment takes a branch: patterns as GitHub writes them, and one owner for every branch."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.gateway_story import PRODUCTION, STAGING
from windlass_contracts.events import EnvironmentConfigured, EnvironmentCreated
from windlass_contracts.ids import EnvironmentId
from windlass_gateway.domain.branches import decide_branches, pattern, taker
from windlass_gateway.domain.environments import Environment, Environments
from windlass_gateway.domain.refusals import BranchTakenError, InvalidInputError

NAMES = st.text(st.sampled_from("abz/-.0"), max_size=12)
PATTERNS = st.text(st.sampled_from("ab/*?[]!-."), min_size=1, max_size=12)


def environments(production: tuple[str, ...] = (), staging: tuple[str, ...] = ()) -> Environments:
    return Environments(
        all=(
            Environment(id=PRODUCTION, name="production", production=True, branches=production),
            Environment(id=STAGING, name="staging", production=False, branches=staging),
        )
    )


def taken_by(known: Environments, branch: str, default: str | None = "main") -> str | None:
    found = taker(known, branch, default)
    return None if found is None else found.name


@pytest.mark.parametrize(
    ("text", "fits", "does_not"),
    [
        ("main", ["main"], ["Main", "main2", "a/main", ""]),
        ("feature/*", ["feature/a", "feature/"], ["feature/a/b", "feature", "x/feature/a"]),
        ("feature/**", ["feature/a", "feature/a/b"], ["feature"]),
        ("**", ["a", "a/b"], []),
        ("*", ["a"], ["a/b"]),
        ("v?.x", ["v1.x"], ["v10.x", "v/.x", "v.x", "v1yx"]),
        ("v[0-9]", ["v0", "v9"], ["va", "v10", "v"]),
        ("v[!0-9]", ["va"], ["v1", "v/", "v"]),
        ("[]]", ["]"], ["[]]"]),
        ("[z-a]", [], ["a", "z", "m"]),
        ("[a", ["[a"], ["a"]),
        ("**b*c", ["bb/bc", "bc", "x/y/bzc"], ["b/c"]),
    ],
)
def test_wildcards_mean_what_githubs_do(text: str, fits: list[str], does_not: list[str]) -> None:
    assert [name for name in fits + does_not if pattern(text).matches(name)] == fits


@given(NAMES)
def test_two_stars_take_every_branch_and_one_takes_those_without_a_slash(name: str) -> None:
    assert pattern("**").matches(name)
    assert pattern("*").matches(name) == ("/" not in name)


@given(NAMES.filter(lambda name: name != ""))
def test_a_name_without_wildcards_takes_itself_alone(name: str) -> None:
    assert pattern(name).exact
    assert pattern(name).matches(name)
    assert not pattern(name).matches(name + "a")


@given(PATTERNS, NAMES, NAMES)
def test_a_pattern_behind_a_beginning_takes_what_it_took_behind_that_beginning(
    text: str, start: str, name: str
) -> None:
    assert pattern(start + text).matches(start + name) == pattern(text).matches(name)


@given(PATTERNS, PATTERNS, NAMES)
def test_who_takes_a_branch_has_a_pattern_that_fits_or_is_production_for_the_default_branch(
    one: str, other: str, name: str
) -> None:
    found = taker(environments(staging=(one, other)), name, "main")
    fits = pattern(one).matches(name) or pattern(other).matches(name)
    assert (found is not None and found.name == "staging") == (fits and name != "main")


def test_many_stars_cost_no_more_than_few() -> None:
    assert not pattern("*a" * 125).matches("a" * 249 + "/")


def test_production_without_patterns_takes_the_default_branch_before_any_wildcard() -> None:
    assert taken_by(environments(staging=("**",)), "main") == "production"
    assert taken_by(environments(staging=("**",)), "other") == "staging"
    assert taken_by(environments(), "other") is None
    assert taken_by(environments(), "main", None) is None


def test_a_branch_that_an_environment_names_outright_is_its_own() -> None:
    assert taken_by(environments(staging=("main",)), "main") == "staging"
    assert taken_by(environments(("release",)), "main") is None
    assert taken_by(environments(("feature/*",), ("feature/new",)), "feature/new") == "staging"
    assert taken_by(environments(("feature/**",), ("feature/new-*",)), "feature/new-look") == "staging"
    assert taken_by(environments(("feature/**", "feature/new-*"), ("**",)), "feature/new-look") == "production"


def test_a_pattern_belongs_to_one_environment_and_the_refusal_names_it() -> None:
    known = environments(("main",), ("feature/*",))
    with pytest.raises(BranchTakenError, match="production"):
        decide_branches(known, "staging", ["feature/*", "main"], STAGING)
    with pytest.raises(BranchTakenError, match="staging"):
        decide_branches(known, "preview", ["feature/*"], EnvironmentId(PRODUCTION))


def test_a_change_is_one_event_and_no_change_is_none() -> None:
    known = environments(staging=("feature/*",))
    assert decide_branches(known, "staging", ["feature/*", "feature/*"], PRODUCTION) is None
    configured = decide_branches(known, "staging", [], PRODUCTION)
    assert configured == EnvironmentConfigured(environment=STAGING, branches=())
    created = decide_branches(known, "preview", ["x"], PRODUCTION)
    assert created == EnvironmentCreated(environment=PRODUCTION, name="preview", production=False, branches=("x",))
    with pytest.raises(InvalidInputError):
        decide_branches(known, "staging", [f"b{number}" for number in range(101)], PRODUCTION)
