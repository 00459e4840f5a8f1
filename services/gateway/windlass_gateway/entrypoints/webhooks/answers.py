"""What a sender is answered: what was done for each project, and why where nothing was."""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import Response
from pydantic import BaseModel, Field

from windlass_contracts.ids import DeploymentId
from windlass_gateway.application.pushing import Outcome
from windlass_gateway.domain.branch_deletion import AddressGoes
from windlass_gateway.domain.pushes import Ignored


class OutcomeView(BaseModel):
    """What a delivery did to one project."""

    project: str
    outcome: Literal["deployed", "address-goes", "ignored"]
    environment: str | None = None
    deployment: DeploymentId | None = None
    until: Annotated[datetime | None, Field(description="when the address of a deleted branch goes")] = None
    why: Annotated[str | None, Field(description="why nothing was deployed, and how it would be")] = None

    @classmethod
    def of(cls, outcome: Outcome) -> "OutcomeView":
        result = outcome.result
        if isinstance(result, Ignored):
            return cls(project=outcome.project, outcome="ignored", why=result.why)
        if isinstance(result, AddressGoes):
            why = f"The branch {result.branch} was deleted: its address goes, unless the branch is pushed again."
            return cls(project=outcome.project, outcome="address-goes", until=result.until, why=why)
        return cls(
            project=outcome.project,
            outcome="deployed",
            environment=result.environment.name,
            deployment=result.deployment,
        )


class DeliveryView(BaseModel):
    """The answer to a delivery; the same delivery again is answered the same."""

    sentence: str
    projects: list[OutcomeView] = []


ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "nothing is deployed; the sentence says why"},
    202: {"model": DeliveryView, "description": "what is deployed, or goes, is durable"},
    400: {"description": "the body is no JSON"},
    401: {"description": "the signature is missing or wrong"},
    413: {"description": "the body is too large"},
}


def answer(response: Response, done: Sequence[Outcome] | Ignored) -> DeliveryView:
    """Return the answer: 202 where something is deployed, 200 where nothing is."""
    if isinstance(done, Ignored):
        return DeliveryView(sentence=done.why)
    views = [OutcomeView.of(one) for one in done]
    deployed = [one.project for one in views if one.outcome == "deployed"]
    going = [one.project for one in views if one.outcome == "address-goes"]
    if not deployed and not going:
        return DeliveryView(sentence="Nothing is deployed.", projects=views)
    response.status_code = HTTPStatus.ACCEPTED
    if going:
        sentence = f"The branch was deleted: its address in {', '.join(going)} goes after a while."
        return DeliveryView(sentence=sentence, projects=views)
    return DeliveryView(sentence=f"Deploying {', '.join(deployed)}.", projects=views)
