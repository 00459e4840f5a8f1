"""`windlass quarantine`: events that a service may pass over, because it cannot read them."""

from typing import Annotated

import typer
from typer.core import TyperGroup

from windlass.api import Api, Json
from windlass.commands.operations import SERVICES, meant
from windlass.commands.running import AsJson, print_json, print_line, run
from windlass.commands.table import print_table
from windlass.errors import BadInputError
from windlass.terminal import age, plain


class _AddsByDefault(TyperGroup):
    """Takes `quarantine SERVICE SEQUENCE` for `quarantine add SERVICE SEQUENCE`."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override] # click's own context
        if args and args[0] not in {*self.commands, "--help"}:
            args = ["add", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_AddsByDefault,
    no_args_is_help=True,
    add_completion=False,
    help="Let a service pass over an event that it cannot read: windlass quarantine SERVICE SEQUENCE --reason TEXT",
)


@app.command("add")
def add(
    service: Annotated[str, typer.Argument(help=", ".join(SERVICES))],
    sequence: Annotated[int, typer.Argument(min=1, help="Where it stands still; `windlass verify` says so.")],
    reason: Annotated[str, typer.Option(help="Why nothing is lost by it. It is kept, with your name.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Let a service pass over the event at which it stands still. This cannot be taken back."""
    (named,) = meant([service])
    if not reason.strip():
        raise BadInputError("The reason is empty.", "Say why nothing is lost by passing over the event.")

    async def quarantine(api: Api) -> Json:
        return await api.post("/quarantine", {"service": named, "sequence": sequence, "reason": reason})

    made = run(quarantine)
    if as_json:
        print_json(made)
    else:
        print_line(f"{named}: passes over sequence {sequence} from now on, and so do all rebuilds of its rows.")


@app.command("list")
def list_entries(*, as_json: AsJson = False) -> None:
    """List the events that services pass over, by whose word, and why."""

    async def listed(api: Api) -> Json:
        return await api.get("/quarantine")

    found = run(listed)
    if as_json:
        print_json(found)
    elif found:
        rows = [
            (
                one["service"],
                str(one["sequence"]),
                one["by"],
                f"{age(one['at'])} ago",
                plain(one.get("reason") or "(deleted)"),
            )
            for one in found
        ]
        print_table(("SERVICE", "SEQUENCE", "BY", "WHEN", "WHY"), rows)
    else:
        print_line("No service passes over any event.")
