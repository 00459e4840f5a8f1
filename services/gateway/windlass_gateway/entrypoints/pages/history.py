"""A project's deployments, the latest first, as many at a time as one looks at, and only those that are wanted."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query

from windlass_contracts.lifecycle import Phase
from windlass_gateway.application.projections import DEPLOYMENTS
from windlass_gateway.entrypoints.pages.lines import Around, Line, Lines

_AT_A_TIME = 15
_ONGOING = tuple(phase for phase in Phase if not phase.ended)
STATES: dict[str, tuple[Phase, ...]] = {
    "ongoing": _ONGOING,
    "live": (Phase.LIVE,),
    "failed": (Phase.FAILED,),
    "canceled": (Phase.CANCELED,),
    "superseded": (Phase.SUPERSEDED,),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which deployments somebody wants to see; what they left empty does not matter."""

    branch: str = ""
    environment: str = ""
    state: str = ""
    before: int | None = None

    @property
    def anything(self) -> bool:
        return bool(self.branch or self.environment or self.state)

    def older(self, last: Line) -> str:
        """Return the query of the page behind that deployment."""
        asked = {"branch": self.branch, "environment": self.environment, "state": self.state}
        return urlencode({**{name: value for name, value in asked.items() if value}, "before": last.requested_sequence})


def wanted(
    branch: Annotated[str, Query(max_length=250)] = "",
    environment: Annotated[str, Query(max_length=100)] = "",
    state: Annotated[str, Query(max_length=20)] = "",
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
) -> Wanted:
    """Return what the address asks for."""
    return Wanted(branch.strip(), environment.strip(), state if state in STATES else "", before)


@dataclass(frozen=True, slots=True)
class History:
    """A page of deployments; `older` is the query of the next one, if there is more."""

    wanted: Wanted
    lines: list[Line]
    older: str | None


async def history(lines: Lines, around: Around, asked: Wanted) -> History:
    """Return a page of a project's deployments."""
    where = _where(around, asked)
    if where is None:
        return History(asked, [], None)
    rows = lines.finder.rows
    found = await rows.page(DEPLOYMENTS, where, by="requested_sequence", limit=_AT_A_TIME + 1, below=asked.before)
    shown = await lines.of(found[:_AT_A_TIME], {around.project.key: around})
    return History(asked, shown, asked.older(shown[-1]) if len(found) > _AT_A_TIME else None)


def _where(around: Around, asked: Wanted) -> dict[str, object] | None:
    where: dict[str, object] = {"project": around.project.key}
    if asked.branch:
        where["branch"] = asked.branch
    if asked.state:
        where["phase"] = STATES[asked.state]
    if asked.environment:
        environment = around.environments.named(asked.environment)
        if environment is None:
            return None
        where["environment"] = environment.id
    return where


async def branches(lines: Lines, around: Around) -> list[str]:
    """Return the branches that were deployed lately, for a form to suggest."""
    where = {"project": around.project.key}
    found = await lines.finder.rows.page(DEPLOYMENTS, where, by="requested_sequence", limit=100)
    default = around.project.row.default_branch
    names = [one.row.branch for one in found if one.row.branch]
    return list(dict.fromkeys([*([default] if default else []), *names]))
