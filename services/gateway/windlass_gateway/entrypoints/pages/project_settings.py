"""`/projects/{slug}/settings`: how a project is built and run, which pushes go where, and who announces them."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from windlass_contracts.config import MIB, DeploymentConfig, RestoreIn
from windlass_contracts.credential_values import CredentialKind
from windlass_contracts.ids import ProjectId
from windlass_contracts.source_values import BranchPattern, GitRef
from windlass_eventlog.projection import Versioned
from windlass_gateway.application.access import Permission
from windlass_gateway.application.configuring import Configuring
from windlass_gateway.application.credentials import ManagingCredentials
from windlass_gateway.application.volumes import Volumes
from windlass_gateway.domain.environments import checked_name
from windlass_gateway.domain.project import Project, ProjectChange
from windlass_gateway.domain.refusals import InvalidInputError, Refusal
from windlass_gateway.domain.repository import repository_url
from windlass_gateway.domain.rollout_steps import written_steps
from windlass_gateway.entrypoints.credentials import next_step
from windlass_gateway.entrypoints.domains import domains_of, point_to
from windlass_gateway.entrypoints.pages.form_fields import checked_config
from windlass_gateway.entrypoints.pages.probe_field import changed_probe, written_probe
from windlass_gateway.entrypoints.pages.project import ProjectSlug
from windlass_gateway.entrypoints.pages.recipes import RUNNERS
from windlass_gateway.entrypoints.pages.repository_links import RepositoryLinks
from windlass_gateway.entrypoints.pages.visiting import AVisit, Visit, shown_at
from windlass_gateway.entrypoints.problems import Problem, problem_of
from windlass_gateway.entrypoints.webhooks.setup import WebhooksView, webhooks_of

router = APIRouter(prefix="/projects/{slug}/settings", include_in_schema=False)

Short = Annotated[str, Form(max_length=2_000)]
Text = Annotated[str, Field(max_length=2_000)]
Command = Annotated[str, Field(max_length=20_000)]
Paths = Annotated[str, Field(max_length=60_000)]
_KINDS = {
    CredentialKind.DEPLOY_KEY: "Deploy key, for Git over SSH",
    CredentialKind.HTTPS: "Token or password, for Git over HTTPS",
    CredentialKind.REGISTRY: "User and password of a registry",
}
_NUMBERS = ("port", "replicas", "keep_releases")
_CLEARABLE = ("root", "runner", "dockerfile", "build_command", "pre_deploy_command", "start_command", "rollout")
_WATCHED = (
    ("liveness", "every_s"),
    ("liveness", "failures"),
    ("liveness", "successes"),
    ("watch", "restore_in"),
    ("watch", "window_s"),
    ("watch", "errors_percent"),
)
_RESTORE_IN = {
    RestoreIn.PRODUCTION: "In production",
    RestoreIn.EVERYWHERE: "In every environment",
    RestoreIn.NOWHERE: "Nowhere",
}
_REF: TypeAdapter[str] = TypeAdapter(GitRef)
_PATTERN: TypeAdapter[str] = TypeAdapter(BranchPattern)


class BuildForm(BaseModel):
    """What the form of the configuration says, all of it as texts."""

    model_config = ConfigDict(frozen=True, str_strip_whitespace=True)

    repository: Text = ""
    default_branch: Text = ""
    root: Text = ""
    runner: Text = ""
    dockerfile: Text = ""
    build_command: Command = ""
    pre_deploy_command: Command = ""
    start_command: Command = ""
    port: Text = ""
    replicas: Text = ""
    keep_releases: Text = ""
    memory_mib: Text = ""
    scratch_mib: Text = ""
    probe: Command = ""
    include: Paths = ""
    exclude: Paths = ""
    volumes: Paths = ""
    liveness_every_s: Text = ""
    liveness_failures: Text = ""
    liveness_successes: Text = ""
    watch_restore_in: Text = ""
    watch_window_s: Text = ""
    watch_errors_percent: Text = ""
    rollout: Text = ""

    def change(self, config: DeploymentConfig) -> ProjectChange:
        """Return what is to be otherwise.

        Raises:
            InvalidInputError: a field cannot be what it is.
        """
        repository = {"repository": repository_url(self.repository, "repository")} if self.repository else {}
        return ProjectChange(
            fields={**repository, "default_branch": _default_branch(self.default_branch)},
            config=checked_config(
                {
                    **self._clearable(),
                    **self._numbers(),
                    **self._paths(),
                    "volumes": self._volumes(),
                    **changed_probe(self.probe, config.probe),
                    **self._watched(),
                }
            ),
        )

    def _clearable(self) -> dict[str, str | None]:
        """Return what may be left empty: Windlass finds it out by itself, or does nothing."""
        return {name: getattr(self, name).replace("\r\n", "\n") or None for name in _CLEARABLE}

    def _paths(self) -> dict[str, object]:
        """Return the patterns, one a line."""
        return {
            name: [line.strip() for line in getattr(self, name).splitlines() if line.strip()]
            for name in ("include", "exclude")
        }

    def _volumes(self) -> list[dict[str, str]]:
        """Return the volumes: a name and a path in each line."""
        lines = [line.split(maxsplit=1) for line in self.volumes.splitlines() if line.strip()]
        return [{"name": parts[0], "path": parts[1] if len(parts) > 1 else ""} for parts in lines]

    def _watched(self) -> dict[str, dict[str, str]]:
        """Return how it is watched, as far as that is given."""
        said: dict[str, dict[str, str]] = {}
        for part, name in _WATCHED:
            if value := getattr(self, f"{part}_{name}"):
                said.setdefault(part, {})[name] = value
        return said

    def _numbers(self) -> dict[str, object]:
        limits: dict[str, object] = {"limits": {"memory_mib": self.memory_mib}} if self.memory_mib else {}
        scratch = {"scratch_mib": self.scratch_mib or None}
        return {**{name: getattr(self, name) for name in _NUMBERS if getattr(self, name)}, **limits, **scratch}


@router.get("")
async def show_settings(visit: AVisit, slug: ProjectSlug) -> Response:
    """Show the settings."""
    return await settings_page(visit, slug)


@router.post("")
async def save(visit: AVisit, slug: ProjectSlug, form: Annotated[BuildForm, Form()]) -> Response:
    """Change how the project is built and run from the next deployment on."""
    project = await visit.finder.project(slug)
    try:
        change = form.change(project.row.config)
        sequence = await Configuring(visit.gateway).project(visit.caller, slug, change)
    except Refusal as refusal:
        return await settings_page(visit, slug, form=form, problem=problem_of(refusal))
    return shown_at(f"/projects/{slug}/settings", sequence, "settings-saved")


@router.post("/branches")
async def save_branches(visit: AVisit, slug: ProjectSlug, environment: Short, branches: Short = "") -> Response:
    """Say which pushes go to an environment; a new name makes a new one."""
    try:
        patterns = [_pattern(one) for one in branches.replace(",", " ").split()]
        name = checked_name(environment.strip())
        sequence = await Configuring(visit.gateway).branches(visit.caller, slug, name, patterns)
    except Refusal as refusal:
        return await settings_page(visit, slug, problem=problem_of(refusal))
    return shown_at(f"/projects/{slug}/settings", sequence, "branches-saved")


def _default_branch(written: str) -> str | None:
    try:
        return _REF.validate_python(written) if written else None
    except ValidationError as error:
        raise InvalidInputError(
            "The default branch: Git allows no such name.", field="default_branch", next_step="Give a branch."
        ) from error


def _pattern(written: str) -> str:
    try:
        return _PATTERN.validate_python(written)
    except ValidationError as error:
        raise InvalidInputError(
            f"{written[:40]!r} is no pattern of branches.",
            field="branches",
            next_step="Write names or patterns like main, release/* or **, with blanks between them.",
        ) from error


def _filled(row: Project) -> BuildForm:
    """Return the form as the project is."""
    config = row.config
    return BuildForm(
        repository=row.repository or "",
        default_branch=row.default_branch or "",
        **{name: getattr(config, name) or "" for name in _CLEARABLE if name != "rollout"},
        rollout=written_steps(config.rollout),
        **{name: str(getattr(config, name)) for name in _NUMBERS},
        memory_mib=str(config.limits.memory_bytes // MIB),
        scratch_mib="" if config.scratch_bytes is None else str(config.scratch_bytes // MIB),
        include="\n".join(config.include),
        exclude="\n".join(config.exclude),
        volumes="\n".join(f"{volume.name} {volume.path}" for volume in config.volumes),
        probe=written_probe(config.probe),
        **{f"{part}_{name}": str(getattr(getattr(config, part), name)) for part, name in _WATCHED},
    )


def _host(repository: str | None) -> str:
    return urlsplit(repository or "").netloc.rpartition("@")[2]


def _webhooks(visit: Visit, project: Versioned[Project]) -> WebhooksView | None:
    """Return how pushes are announced, for those who may see the secrets."""
    if Permission.CONFIGURE not in visit.caller.permissions:
        return None
    shared = visit.shared
    return webhooks_of(shared.places, shared.webhook_keys, project.row.slug, ProjectId(project.key))


async def settings_page(
    visit: Visit,
    slug: str,
    *,
    form: BuildForm | None = None,
    problem: Problem | None = None,
    domain: str | None = None,
) -> Response:
    """Show the settings, with what is wrong with a form that was sent; `domain` is the host that one of them named."""
    project = await visit.finder.project(slug)
    row = project.row
    return visit.render(
        "pages/project_settings.html",
        status=200 if problem is None else problem.status,
        slug=row.slug,
        links=RepositoryLinks.of(row.repository),
        values=form or _filled(row),
        runners=RUNNERS,
        restore_in=_RESTORE_IN,
        environments=(await visit.finder.environments(project.key)).all,
        webhooks=_webhooks(visit, project),
        credentials=await ManagingCredentials(visit.gateway).list(visit.caller, slug),
        credential_kinds=_KINDS,
        domains=await domains_of(visit.shared, visit.finder, project),
        domain=domain,
        domain_target=point_to(visit.shared, row.slug),
        volumes=await Volumes(visit.gateway).all(visit.finder, project.key),
        repository_host=_host(row.repository),
        next_step=next_step,
        problem=problem,
    )
