"""Addresses are valid in DNS and nobody's by accident or on purpose."""

import re
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from windlass_contracts.ids import DeploymentId, EnvironmentId
from windlass_contracts.source_values import GitRef
from windlass_contracts.values import Slug
from windlass_router.domain.aliases import (
    ASLEEP_OR_UNKNOWN,
    LONGEST_LABEL,
    branch_alias,
    deployment_alias,
    domain_alias,
    environment_alias,
    environment_id_alias,
)

SLUG, REF = TypeAdapter(Slug), TypeAdapter(GitRef)
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
ENVIRONMENT = EnvironmentId(uuid4())


def valid(adapter: TypeAdapter[str], text: str) -> bool:
    try:
        adapter.validate_python(text)
    except ValidationError:
        return False
    return True


slugs = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", fullmatch=True).filter(lambda text: valid(SLUG, text))
refs = st.text(min_size=1, max_size=250).filter(lambda text: valid(REF, text))


@given(slug=slugs, ref=refs, name=slugs, identity=st.uuids(), production=st.booleans())
def test_every_address_is_one_label_that_dns_allows(
    *, slug: str, ref: str, name: str, identity: UUID, production: bool
) -> None:
    for alias in (
        environment_alias(slug, ENVIRONMENT, name, production=production),
        environment_id_alias(slug, EnvironmentId(identity)),
        branch_alias(slug, ref, ENVIRONMENT),
        deployment_alias(slug, DeploymentId(identity)),
    ):
        assert LABEL.fullmatch(alias.name)
        assert len(alias.name) <= LONGEST_LABEL


@given(slugs, slugs, refs, slugs, st.uuids())
def test_no_project_reaches_into_the_addresses_of_another(
    mine: str, other: str, ref: str, name: str, identity: UUID
) -> None:
    if mine == other:
        return
    theirs = environment_alias(other, ENVIRONMENT, name, production=True).name
    for alias in (
        environment_alias(mine, ENVIRONMENT, name, production=False),
        branch_alias(mine, ref, ENVIRONMENT),
        deployment_alias(mine, DeploymentId(identity)),
    ):
        assert alias.name != theirs
        assert alias.name.partition("--")[0] == mine


@given(slugs, refs, refs)
def test_two_branches_never_share_an_address(slug: str, one: str, other: str) -> None:
    assert (one == other) == (branch_alias(slug, one, ENVIRONMENT) == branch_alias(slug, other, ENVIRONMENT))


@given(slugs, refs)
def test_no_branch_can_be_named_after_the_address_of_another(slug: str, branch: str) -> None:
    """A branch whose address needed a hash shares it with none, not even with one that is named like it."""
    wanted = branch_alias(slug, branch, ENVIRONMENT).name
    impostor = wanted.removeprefix(f"{slug}--git--")
    assert impostor == branch or branch_alias(slug, impostor, ENVIRONMENT).name != wanted


@given(slugs, slugs)
def test_no_environment_can_be_named_after_the_address_of_another(slug: str, name: str) -> None:
    wanted = environment_alias(slug, ENVIRONMENT, name, production=False).name
    impostor = wanted.removeprefix(f"{slug}--")
    assert impostor == name or not valid(SLUG, impostor)


@pytest.mark.parametrize(
    ("branch", "label"),
    [
        ("main", "shop--git--main"),
        ("feature/login", "shop--git--feature-login--"),
        ("feature/ä b", "shop--git--feature-b--"),
        ("a--b", "shop--git--a-b--"),
        ("Main", "shop--git--main--"),
        ("ä", "shop--git--x--"),
        ("x" * 200, "shop--git--" + "x" * 42 + "--"),
    ],
)
def test_a_branch_is_spelled_as_far_as_a_label_can(branch: str, label: str) -> None:
    found = branch_alias("shop", branch, ENVIRONMENT).name
    assert found == label or (found.startswith(label) and len(found) == len(label) + 8)


@given(slugs, slugs, refs, st.uuids())
def test_an_environment_never_takes_the_address_of_a_branch_or_deployment(
    slug: str, name: str, ref: str, identity: UUID
) -> None:
    environment = environment_alias(slug, ENVIRONMENT, name, production=False).name
    assert environment != branch_alias(slug, ref, ENVIRONMENT).name
    assert environment != deployment_alias(slug, DeploymentId(identity)).name
    assert environment != environment_id_alias(slug, EnvironmentId(identity)).name


@given(slugs, st.uuids())
def test_what_looks_like_a_single_deployment_is_one(slug: str, identity: UUID) -> None:
    assert re.fullmatch(ASLEEP_OR_UNKNOWN, deployment_alias(slug, DeploymentId(identity)).name)


@given(slugs, slugs, refs)
def test_nothing_else_looks_like_a_single_deployment(slug: str, name: str, ref: str) -> None:
    for alias in (
        environment_alias(slug, ENVIRONMENT, name, production=False),
        environment_alias(slug, ENVIRONMENT, name, production=True),
        environment_id_alias(slug, ENVIRONMENT),
    ):
        assert not re.fullmatch(ASLEEP_OR_UNKNOWN, alias.name)
    assert not re.fullmatch(ASLEEP_OR_UNKNOWN, branch_alias(slug, ref, ENVIRONMENT).name)


@given(slugs, refs, slugs, st.uuids(), st.from_regex(r"([a-z0-9]{1,20}\.){1,3}[a-z]{2,9}", fullmatch=True))
def test_no_domain_is_named_like_a_label_of_ours(slug: str, ref: str, name: str, identity: UUID, host: str) -> None:
    """Addresses are kept by name: a label has no dot, and the name of a domain has one."""
    ours = {
        environment_alias(slug, ENVIRONMENT, name, production=True).name,
        environment_alias(slug, ENVIRONMENT, name, production=False).name,
        environment_id_alias(slug, EnvironmentId(identity)).name,
        branch_alias(slug, ref, ENVIRONMENT).name,
        deployment_alias(slug, DeploymentId(identity)).name,
    }
    assert domain_alias(host, ENVIRONMENT).name not in ours
    assert not any("." in label for label in ours)
