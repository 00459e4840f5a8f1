"""`windlass tokens`: API tokens for programs. A token is shown once."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote

import typer

from windlass.api import Api, Json
from windlass.commands.running import AsJson, print_json, print_line, run
from windlass.commands.table import print_table
from windlass.errors import BadInputError
from windlass.terminal import age, plain

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Create, list and revoke API tokens.")

_SPAN = re.compile(r"([1-9][0-9]{0,4})([hdwy])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1), "y": timedelta(days=365)}
_NEVER = "never"
_LATEST = datetime(2099, 12, 31, tzinfo=UTC)


@app.command("create")
def create_token(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    permission: Annotated[list[str], typer.Option("--permission", "-p", help="read, deploy, configure or administer.")],
    expires: Annotated[str, typer.Option(help="After that: 12h, 90d, 2w, 1y; or never.")] = "90d",
    *,
    as_json: AsJson = False,
) -> None:
    """Create a token that permits what is given, and no more than you may do yourself."""
    body = {"name": name, "permissions": permission, "expires_at": _end(expires)}

    async def create(api: Api) -> Json:
        return await api.post("/tokens", body)

    made = run(create)
    if as_json:
        print_json(made)
        return
    print_line(plain(made["token"]))
    print_line(f"This is shown once. It permits {', '.join(made['permissions'])}, and {_expiry(made)}.")


@app.command("list")
def list_tokens(*, as_json: AsJson = False) -> None:
    """List the tokens that were not revoked."""
    found = run(_listed)
    if as_json:
        print_json(found)
    elif found:
        rows = [
            (one["id"][:8], one["name"], ", ".join(one["permissions"]), f"{age(one['created_at'])} ago", _expiry(one))
            for one in found
        ]
        print_table(("TOKEN", "NAME", "PERMITS", "CREATED", "EXPIRES"), rows)
    else:
        print_line("There is no API token but the installation's own: windlass tokens create NAME --permission read")


@app.command("revoke")
def revoke_token(
    token: Annotated[str, typer.Argument(help="Its name, or the beginning of its id.")], *, as_json: AsJson = False
) -> None:
    """Revoke a token: it is refused at once."""

    async def revoke(api: Api) -> tuple[Json, Json]:
        meant = _meant(await _listed(api), token)
        return meant, await api.delete(f"/tokens/{quote(meant['id'], safe='')}")

    meant, done = run(revoke)
    if as_json:
        print_json({"id": meant["id"], **done})
    else:
        print_line(f"Revoked {plain(meant['name'])}: it is refused from now on.")


async def _listed(api: Api) -> Any:  # noqa: ANN401 - JSON
    return await api.get("/tokens")


def _meant(tokens: list[Json], written: str) -> Json:
    """Return the token of that name; or else the one whose id begins like that.

    Of several with one name all but the latest have expired.
    """
    named = [one for one in tokens if one["name"] == written]
    found = named[:1] or [one for one in tokens if written and one["id"].startswith(written.lower())]
    if len(found) == 1:
        return found[0]
    what = "Several tokens begin" if found else "No token is named or begins"
    raise BadInputError(f"{what} like {plain(written)[:60]!r}.", "`windlass tokens list` shows names and ids.")


def _end(written: str) -> str | None:
    if written == _NEVER:
        return None
    span = _SPAN.fullmatch(written)
    if span is None:
        raise BadInputError(
            f"{plain(written)[:60]!r} is no span of time.", "Give one like 12h, 90d, 2w or 1y, or never."
        )
    wanted = datetime.now(UTC) + int(span[1]) * _UNITS[span[2]]
    return min(wanted, _LATEST).isoformat()


def _expiry(one: Json) -> str:
    if one["expires_at"] is None:
        return "never expires"
    if one.get("expired"):
        return "has expired"
    left = datetime.fromisoformat(one["expires_at"]) - datetime.now(UTC)
    return f"expires in {left.days} d" if left.days else f"expires in {int(left.total_seconds() // 3_600)} h"
