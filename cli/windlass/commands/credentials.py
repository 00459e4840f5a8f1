"""`windlass credentials`: what opens a project's private repositories and images. Secrets go in, and never come out."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from windlass.api import Api, Json
from windlass.commands.paths import credential_path, project_path
from windlass.commands.running import AsJson, print_json, print_line, run
from windlass.commands.table import print_table
from windlass.terminal import age, plain

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="List, add and remove what opens a project's private repositories and images.",
)

Project = Annotated[str, typer.Argument(help="The project.")]
AHost = Annotated[str, typer.Argument(help="Like github.com or git.example.com:2222; else the repository's host.")]


class Kind(StrEnum):
    """What a credential opens."""

    DEPLOY_KEY = "deploy-key"
    HTTPS = "https"
    REGISTRY = "registry"


AKind = Annotated[Kind, typer.Argument(help="deploy-key: Git by SSH; https: Git by HTTPS; registry: ready images.")]


@app.command("add")
def add_credential(
    project: Project,
    kind: AKind,
    host: AHost = "",
    user: Annotated[str, typer.Option("--user", "-u", help="The name that the password or token belongs to.")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Add a credential, or replace the one that the host has. A password or token is asked for, or read from a pipe.

    A deploy key is made here: what is shown of it goes to the repository's host.
    """
    body: Json = {"kind": kind, "host": host}
    if kind is Kind.DEPLOY_KEY:
        body |= {"user": user} if user else {}
    else:
        body |= {"user": user, "password": _password()}

    async def send(api: Api) -> Json:
        return await api.post(f"{project_path(project)}/credentials", body)

    done = run(send)
    if as_json:
        print_json(done)
        return
    if done["public_key"] is not None:
        print_line(plain(done["public_key"]))
    print_line(plain(done["next"]))


@app.command("list")
def list_credentials(project: Project, *, as_json: AsJson = False) -> None:
    """List the hosts that have a credential, and the public halves of deploy keys."""

    async def ask(api: Api) -> Json:
        return await api.get(f"{project_path(project)}/credentials")

    found = run(ask)
    if as_json:
        print_json(found)
    elif found:
        rows = [(one["kind"], one["host"], f"{age(one['set_at'])} ago", one["public_key"] or "") for one in found]
        print_table(("KIND", "HOST", "SET", "PUBLIC KEY"), rows)
    else:
        print_line(f"There is none: windlass credentials add {project} deploy-key")


@app.command("remove")
def remove_credential(project: Project, kind: AKind, host: AHost = "", *, as_json: AsJson = False) -> None:
    """Take a credential back: its secret is deleted, and the next fetch goes without it."""

    async def send(api: Api) -> Json:
        return await api.delete(credential_path(project, kind), {"host": host})

    done = run(send)
    if as_json:
        print_json(done)
    else:
        print_line("Removed: its secret is deleted. Revoke it at its host as well, if it may have been seen.")


def _password() -> str:
    """Return what is asked for where nobody sees it, or what a pipe brings; it never stands in a list of processes."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password or token", hide_input=True))
    return sys.stdin.read().removesuffix("\n").removesuffix("\r")
