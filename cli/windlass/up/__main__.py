"""`python -m windlass.up`: the two commands without the rest of `windlass`."""

import typer

from windlass.up.command import down, up

app = typer.Typer(add_completion=False, no_args_is_help=True)
app.command()(up)
app.command()(down)

if __name__ == "__main__":
    app(prog_name="windlass")
