"""The addresses that the gateway promises are those that the router gives."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from windlass_contracts.ids import DeploymentId, EnvironmentId
from windlass_gateway.domain.addresses import deployment_address, environment_address
from windlass_router.domain.aliases import deployment_alias, environment_alias

SLUGS = st.from_regex(r"[a-z0-9]([a-z0-9]{0,38}[a-z0-9])?", fullmatch=True)


@given(SLUGS, SLUGS, st.booleans())
def test_an_environment_answers_where_it_was_promised(slug: str, name: str, production: bool) -> None:  # noqa: FBT001 - drawn
    promised = environment_address(slug, name, production=production)
    alias = environment_alias(slug, EnvironmentId(UUID(int=1)), name, production=production)
    assert promised in {alias.name, None}
    assert promised is not None or len(f"{slug}--{name}") > 63


@given(SLUGS, st.uuids())
def test_a_deployment_answers_where_it_was_promised(slug: str, deployment: UUID) -> None:
    assert deployment_address(slug, DeploymentId(deployment)) == deployment_alias(slug, DeploymentId(deployment)).name
