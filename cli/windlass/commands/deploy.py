"""`windlass deploy`."""

from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from windlass.api import Api, Json
from windlass.commands.env_file import read_env_file
from windlass.commands.paths import project_path
from windlass.commands.running import AsJson, EnvironmentOption, print_json, print_line, run
from windlass.commands.tellers import teller_for
from windlass.commands.uploading import project_for, uploaded
from windlass.commands.watching import Watch
from windlass.errors import BadInputError
from windlass.terminal import duration, plain

_KEY = "Idempotency-Key"
_BY_COMMAND = "command:"


def deploy(  # noqa: PLR0913, PLR0917 - an option each
    folder: Annotated[
        Path | None, typer.Argument(help="A folder to upload, instead of a repository: `windlass deploy .`")
    ] = None,
    git: Annotated[
        str | None,
        typer.Option(help="The repository: https://…, git@host:owner/repo, or a local folder; else the project's own."),
    ] = None,
    image: Annotated[str | None, typer.Option(help="A ready image, pinned: registry/name@sha256:….")] = None,
    ref: Annotated[str | None, typer.Option(help="A branch, a tag or a whole commit id.")] = None,
    project: Annotated[str | None, typer.Option(help="Named after the repository, if not given.")] = None,
    environment: EnvironmentOption = "production",
    root: Annotated[str | None, typer.Option(help="The folder inside the repository that is built.")] = None,
    dockerfile: Annotated[
        str | None, typer.Option(help="The Dockerfile below the root that the image is built from.")
    ] = None,
    build: Annotated[str | None, typer.Option(help="The command that builds it.")] = None,
    pre_deploy: Annotated[
        str | None, typer.Option(help="The command that runs once in the release before it starts: migrations.")
    ] = None,
    start: Annotated[str | None, typer.Option(help="The command that starts it.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="The port it listens on; it is $PORT.")] = None,
    probe: Annotated[
        str | None, typer.Option(help="The path that answers once it is healthy, `tcp`, or `command:` and one.")
    ] = None,
    replicas: Annotated[int | None, typer.Option(min=1, max=100, help="How many containers.")] = None,
    memory: Annotated[int | None, typer.Option(min=16, help="MiB for each container.")] = None,
    env_file: Annotated[Path | None, typer.Option(help="Variables to set for the environment first.")] = None,
    *,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Watch it until it ends.")] = True,
    as_json: AsJson = False,
) -> None:
    """Deploy a commit of a Git repository, or a folder, and watch it go live. Exits with 0 if it did, with 1 if not.

    What is not given is as at the project's last deployment to production, or found out from the source; an empty
    --root, --build or --start lets it be found out again, an empty --pre-deploy runs nothing.
    """
    config = {
        "root": root,
        "dockerfile": dockerfile,
        "build_command": build,
        "pre_deploy_command": pre_deploy,
        "start_command": start,
        "port": port,
        "probe": None if probe is None else _probe(probe),
        "replicas": replicas,
        "limits": None if memory is None else {"memory_mib": memory},
    }
    _check_source(folder, git, image, ref, project)
    folder = None if folder is None else folder.resolve()
    body = {
        "git": None if git is None else _address(git),
        "image": image,
        "ref": ref,
        "project": project,
        "environment": environment,
        "config": {name: None if value == "" else value for name, value in config.items() if value is not None},
        "env_file": "" if env_file is None else read_env_file(env_file),
    }
    view = run(lambda api: _deploy(api, body, folder, wait=wait, as_json=as_json))
    if wait and view["phase"] != "live":
        raise typer.Exit(1)


def _check_source(
    folder: Path | None, git: str | None, image: str | None, ref: str | None, project: str | None
) -> None:
    """Refuse more than one source, and none at all.

    Raises: BadInputError.
    """
    if folder is not None and (git is not None or ref is not None):
        raise BadInputError("A folder is deployed, or a repository.", "Leave out the folder, or --git and --ref.")
    if folder is not None and not folder.is_dir():
        raise BadInputError(f"There is no folder {folder}.", "Name a folder, or a repository with --git.")
    if image is not None and (git is not None or ref is not None or folder is not None):
        raise BadInputError("An image is deployed, or a source.", "Leave out the folder, --git and --ref.")
    if git is None and project is None and folder is None and image is None:
        raise BadInputError(
            "There is nothing to deploy.", "Name a folder, a repository (--git) or a project (--project)."
        )


async def _deploy(api: Api, body: Json, folder: Path | None, *, wait: bool, as_json: bool) -> Json:
    if folder is not None:
        project = body["project"] or await project_for(api, folder)
        body = {**body, "project": project, "upload": await uploaded(api, folder, silent=as_json)}
    elif body["git"] is None and body["image"] is None:
        body = {**body, "git": await _repository(api, body["project"])}
    accepted = await api.post("/deployments", body, {_KEY: str(uuid4())})
    return await watched(api, accepted, wait=wait, as_json=as_json)


async def _repository(api: Api, project: str) -> str:
    found = (await api.get(project_path(project)))["repository"]
    if found is None:
        raise BadInputError(f"The project {project} has no repository.", "Name one: --git URL.")
    return str(found)


async def watched(api: Api, accepted: Json, *, wait: bool, as_json: bool) -> Json:
    """Tell how a deployment that was requested goes on, until it ends; return what became of it."""
    if not wait:
        _print_accepted(accepted, as_json=as_json)
        return accepted
    teller = teller_for(silent=as_json)
    identity = accepted["deployment"]
    with teller.telling():
        teller.say(f"Deployment {identity} of {accepted['project']} to {accepted['environment']}.")
        view = await Watch(api, identity, accepted["project"], accepted["sequence"], teller).until_ended()
    if as_json:
        print_json(view)
    else:
        _print_end(view)
    return view


def _print_accepted(accepted: Json, *, as_json: bool) -> None:
    if as_json:
        print_json(accepted)
        return
    print_line(f"Deployment {accepted['deployment']} was requested; it will answer at {accepted['urls'][0]}.")
    print_line(f"Watch it: windlass logs -f {accepted['deployment'].replace('-', '')[:8]}")


def _print_end(view: Json) -> None:
    took = duration(view["total_ms"])
    match view["phase"]:
        case "live":
            print_line(f"Live after {took}:")
            for url in view["urls"]:
                print_line(f"  {url}")
        case "failed":
            failure = view["failure"]
            print_line(f"Failed at the stage {failure['stage']} after {took}: {plain(failure['reason'])}")
            print_line(failure["next"])
        case "superseded":
            print_line(f"A later request took its place: deployment {view['superseded_by']}.")
        case "canceled" if view.get("cancellation"):
            print_line(f"It was canceled after {took}. {plain(view['cancellation']['reason'])}")
        case phase:
            print_line(f"It is {phase}, after {took}.")


def _address(git: str) -> str:
    """Return the address; a folder on this machine becomes one."""
    folder = Path(git).expanduser()
    return folder.resolve().as_uri() if "://" not in git and folder.is_dir() else git


def _probe(written: str) -> Json:
    if written == "tcp":
        return {"kind": "tcp"}
    if written.startswith(_BY_COMMAND):
        return {"kind": "command", "command": written.removeprefix(_BY_COMMAND).strip()}
    return {"kind": "http", "path": written}
