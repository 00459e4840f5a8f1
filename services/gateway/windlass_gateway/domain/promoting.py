"""Deciding a promotion: an environment answers with a deployment that was live somewhere in the project."""

from windlass_contracts.events import PromotionRequested
from windlass_contracts.ids import DeploymentId
from windlass_gateway.domain.addresses import environment_address, environment_id_address
from windlass_gateway.domain.environments import Environment
from windlass_gateway.domain.refusals import NotPromotableError
from windlass_gateway.domain.releases import Releases
from windlass_gateway.domain.rolling_back import Candidate, cannot_answer
from windlass_gateway.domain.routes import Routes


def decide_promotion(
    slug: str, environment: Environment, routes: Routes | None, target: Candidate, releases: Releases
) -> PromotionRequested:
    """Return the request to let the environment answer with `target`, whatever that was deployed to.

    Raises:
        NotPromotableError: it cannot answer there: the message says why.
    """
    current = _current(environment, routes)
    obstacle = cannot_answer(current, target, releases)
    if obstacle is not None:
        raise NotPromotableError(obstacle)
    alias = _address(slug, environment, routes)
    return PromotionRequested(environment=environment.id, alias=alias, before=current, to=target.id)


def can_be_promoted(environment: Environment, routes: Routes, target: Candidate, releases: Releases) -> bool:
    """Whether a promotion to the environment would be taken now."""
    return cannot_answer(_current(environment, routes), target, releases) is None


def _current(environment: Environment, routes: Routes | None) -> DeploymentId | None:
    alias = None if routes is None else routes.alias_of(environment.id)
    return None if alias is None else alias.current


def _address(slug: str, environment: Environment, routes: Routes | None) -> str:
    """Return where the environment answers, or will: by its id, where the router has to shorten its name."""
    alias = None if routes is None else routes.alias_of(environment.id)
    if alias is not None:
        return alias.name
    named = environment_address(slug, environment.name, production=environment.production)
    return named or environment_id_address(slug, environment.id)
