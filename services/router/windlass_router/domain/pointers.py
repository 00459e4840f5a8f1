"""Addresses and who answers at them."""

from collections.abc import Collection, Iterable

from pydantic import BaseModel, ConfigDict

from windlass_contracts.events.routes import Alias, AliasMove
from windlass_contracts.ids import DeploymentId
from windlass_router.domain.requests import Request

IMMUTABLE = "deployment"
"""The kind of address that is one deployment's alone."""

DOMAIN = "domain"
ENVIRONMENT_ID = "environment-id"
OF_THE_ENVIRONMENT = frozenset({"environment", ENVIRONMENT_ID, DOMAIN})
"""The kinds of address that go wherever their environment goes."""


class Holder(BaseModel):
    """Who answers at an address; `asked` is the sequence of the rollback or promotion that wanted it, if one did.

    Who was restored stands `instead_of` what failed: it is asked for no later, and no earlier, than that was.
    """

    model_config = ConfigDict(frozen=True)

    deployment: DeploymentId
    asked: int = 0
    instead_of: DeploymentId | None = None


class Pointer(BaseModel):
    """Where an alias points, where it pointed before, and since which sequence it is this project's."""

    model_config = ConfigDict(frozen=True)

    alias: Alias
    current: Holder
    previous: Holder | None = None
    since: int

    def answering(self, lost: Collection[DeploymentId]) -> DeploymentId:
        """Return who takes requests: who had the address before, as long as one has it that lost, or stands back."""
        is_lost = self.alias.kind != IMMUTABLE and self.current.deployment in lost
        return self.previous.deployment if is_lost and self.previous is not None else self.current.deployment


def moves_back(pointers: Iterable[Pointer]) -> tuple[AliasMove, ...]:
    """Return the moves that let these addresses point where they did before."""
    return tuple(
        AliasMove(
            alias=one.alias,
            before=one.current.deployment,
            after=None if one.previous is None else one.previous.deployment,
        )
        for one in pointers
    )


def moved(known: Pointer | None, move: AliasMove, sequence: int, request: Request | None) -> Pointer | None:
    """Return where an address points after a move, None where it was given up."""
    if move.after is None:
        return None
    return Pointer(
        alias=move.alias,
        current=_holder(known, move.after, request),
        previous=None if known is None else known.current,
        since=sequence if known is None else known.since,
    )


def like_its_environment(pointer: Pointer, others: Iterable[Pointer]) -> Pointer:
    """Return the pointer; a domain's, asked for when its environment was, where both answer with the same."""
    if pointer.alias.kind != DOMAIN:
        return pointer
    place = ENVIRONMENT_ID, pointer.alias.environment, pointer.current.deployment
    leading = (one for one in others if (one.alias.kind, one.alias.environment, one.current.deployment) == place)
    return pointer.model_copy(update={"current": next((one.current for one in leading), pointer.current)})


def _holder(known: Pointer | None, deployment: DeploymentId, request: Request | None) -> Holder:
    if request is not None and request.to == deployment:
        return _restored(known, request) if request.restores else Holder(deployment=deployment, asked=request.sequence)
    if known is not None and known.previous is not None and known.previous.deployment == deployment:
        return known.previous
    return Holder(deployment=deployment)


def _restored(known: Pointer | None, request: Request) -> Holder:
    asked = 0 if known is None else known.current.asked
    return Holder(deployment=request.to, asked=asked, instead_of=request.before)
