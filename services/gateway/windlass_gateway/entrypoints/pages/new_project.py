"""`/new`: a repository's address, a look into it, and the first deployment."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from windlass_contracts.ids import TeamId
from windlass_eventlog.projection import Versioned
from windlass_gateway.application.deploying import Deploying, DeployRequest
from windlass_gateway.application.finding import Finder
from windlass_gateway.application.inspecting import Inspecting
from windlass_gateway.domain.configuration import ConfigChange
from windlass_gateway.domain.env_file import read_env_file
from windlass_gateway.domain.environments import PRODUCTION
from windlass_gateway.domain.inspection import Inspection, InspectionPhase
from windlass_gateway.domain.refusals import InvalidInputError, Refusal
from windlass_gateway.domain.repository import git_source, slug_from_repository
from windlass_gateway.entrypoints.context import Context
from windlass_gateway.entrypoints.pages.form_fields import checked_config, checked_folder
from windlass_gateway.entrypoints.pages.recipes import RUNNERS, reason, runner_name
from windlass_gateway.entrypoints.pages.rendering import in_place
from windlass_gateway.entrypoints.pages.repository_links import RepositoryLinks
from windlass_gateway.entrypoints.pages.visiting import AVisit, Visit, shown_at
from windlass_gateway.entrypoints.problems import problem_of

router = APIRouter(prefix="/new", include_in_schema=False)

_TRIGGER = "page"
Text = Annotated[str, Field(max_length=2_000)]
Key = Annotated[str, Field(max_length=100)]
Command = Annotated[str, Field(max_length=20_000)]
Paste = Annotated[str, Field(max_length=600_000)]


ByHand = Annotated[bool, Query(description="whether not to wait for the answer")]


class Repository(BaseModel):
    """What the form of the first step says."""

    model_config = ConfigDict(frozen=True)

    git: Text = ""
    ref: Text = ""
    root: Text = ""


class Wish(BaseModel):
    """What the form of the second step says; empty fields are for Windlass to find out."""

    model_config = ConfigDict(frozen=True)

    git: Text
    key: Key
    project: Text = ""
    ref: Text = ""
    root: Text = ""
    runner: Text = ""
    build_command: Command = ""
    start_command: Command = ""
    port: Text = ""
    env: Annotated[Paste, Field(repr=False)] = ""

    def config(self) -> ConfigChange:
        """Return the parts of the configuration that were filled in.

        Raises:
            InvalidInputError: one cannot be what it is.
        """
        names = ("root", "runner", "build_command", "start_command", "port")
        given = {name: str(getattr(self, name)).replace("\r\n", "\n").strip() for name in names}
        return checked_config({name: value for name, value in given.items() if value})

    def request(self, csrf: str) -> DeployRequest:
        """Return the deployment that is wished for.

        Raises:
            InvalidInputError: a field cannot be what it is.
        """
        return DeployRequest(
            key=f"{csrf}:{self.key}",
            trigger=_TRIGGER,
            source=git_source(self.git, self.ref.strip() or None),
            project=self.project.strip() or None,
            environment=PRODUCTION,
            config=self.config(),
            variables=read_env_file(self.env).readable(),
        )


@router.get("")
async def first_step(visit: AVisit, git: Annotated[str, Query(max_length=2_000)] = "") -> Response:
    """Ask for the repository."""
    return visit.render("pages/new.html", values=Repository(git=git), problem=None)


@router.post("")
async def look_into(visit: AVisit, asked: Annotated[Repository, Form()]) -> Response:
    """Ask the builder to look into the repository."""
    try:
        source = git_source(asked.git, asked.ref.strip() or None)
        accepted = await Inspecting(visit.gateway).request(visit.caller, source, checked_folder(asked.root))
    except Refusal as refusal:
        problem = problem_of(refusal)
        return visit.render("pages/new.html", status=problem.status, values=asked, problem=problem)
    return shown_at(f"/new/{accepted.inspection}", accepted.sequence)


@router.get("/{inspection}")
async def second_step(visit: AVisit, inspection: Annotated[UUID, Path()], *, by_hand: ByHand = False) -> Response:
    """Show what was found, and let everything about it be said otherwise."""
    place = await visit.place()
    found = await visit.finder.inspection(inspection)
    return _second_step(visit, found, place=place, by_hand=by_hand)


@router.post("/{inspection}")
async def deploy(visit: AVisit, inspection: Annotated[UUID, Path()], wished: Annotated[Wish, Form()]) -> Response:
    """Deploy it; the answer leads to the deployment, on its log."""
    try:
        requested = await Deploying(visit.gateway).deploy(visit.caller, wished.request(visit.visitor.csrf))
    except Refusal as refusal:
        found = await visit.finder.inspection(inspection)
        return _second_step(visit, found, wished=wished, refusal=refusal, by_hand=True)
    return shown_at(f"/deployments/{requested.deployment}", requested.sequence)


def _second_step(
    visit: Visit,
    found: Versioned[Inspection],
    *,
    place: object = None,
    by_hand: bool = False,
    wished: Wish | None = None,
    refusal: Refusal | None = None,
) -> Response:
    problem = None if refusal is None else problem_of(refusal)
    return visit.render(
        "pages/new_inspected.html",
        status=200 if problem is None else problem.status,
        inspection=found,
        waiting=found.row.phase is InspectionPhase.REQUESTED and not by_hand,
        place=place,
        problem=problem,
        values=wished or _suggested(found.row, str(visit.gateway.fresh_id())),
        links=RepositoryLinks.of(found.row.source.repository),
        reason=reason,
        runner_name=runner_name,
        runners=RUNNERS,
    )


def _suggested(row: Inspection, key: str) -> Wish:
    """Fill the form in with what was asked and found."""
    try:
        project = slug_from_repository(row.source.repository)
    except InvalidInputError:
        project = ""
    branch = None if row.answer is None else row.answer.branch
    ref = row.source.commit or row.source.ref or branch or ""
    return Wish(git=row.source.repository, key=key, project=project, ref=ref, root=row.root or "")


async def live(shared: Context, team: TeamId, inspection: UUID) -> str:
    """Render how far the look came; once it has ended, the page fetches the form."""
    found = await Finder(shared.gateway.rows, team).inspection(inspection)
    return in_place("inspection-state", "parts/inspection_state.html", inspection=found)
