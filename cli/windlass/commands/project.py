"""`windlass project`: how a project is built and run, and for which pushes."""

from typing import Annotated

import typer

from windlass.api import Api, Json
from windlass.commands.paths import project_path
from windlass.commands.running import AsJson, print_json, print_line, run
from windlass.errors import BadInputError
from windlass.terminal import plain

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Show and change a project's settings.")

Project = Annotated[str, typer.Argument(help="The project.")]
_SETTINGS = (
    "--include, --exclude, --volume, --keep-releases, --scratch-mib, --repository, --branch, --restore-in, "
    "--rollout, --watch-window-s, --errors-percent, --probe-every-s, --probe-failures, --probe-successes"
)
_PATTERNS = "A pattern as in a .gitignore file; say it again for each, or empty for none."

_VOLUMES = "NAME:PATH, like uploads:/app/uploads; say it again for each, or empty for none: these are then all."


@app.command("show")
def show_project(project: Project, *, as_json: AsJson = False) -> None:
    """Show where a project comes from, and for which pushes it deploys."""

    async def ask(api: Api) -> Json:
        return await api.get(project_path(project))

    found = run(ask)
    if as_json:
        print_json(found)
        return
    config = found["config"]
    print_line(f"Repository: {plain(found['repository'] or 'none: it is deployed from uploads')}")
    print_line(f"Branch: {plain(found['default_branch'] or 'the default one')}")
    print_line(f"Deploys pushes that change: {plain(', '.join(config['include']) or 'every path')}")
    print_line(f"But not for: {plain(', '.join(config['exclude']) or 'nothing')}")
    volumes = (f"{volume['name']} at {volume['path']}" for volume in config["volumes"])
    print_line(f"Volumes: {plain(', '.join(volumes) or 'none')}")
    print_line(f"May write: {_scratch(config['scratch_bytes'])} outside of its volumes, in each container")
    print_line(f"Keeps: {_kept(config['keep_releases'])}, and all that an address points at")
    print_line(f"Probed while it runs: {_liveness(config['liveness'])}")
    print_line(f"Taken back by itself: {_watch(config['watch'])}")
    print_line(f"Rolled out: {_rollout(config['rollout'])}")


@app.command("set")
def set_project(  # noqa: PLR0913 - an option each
    project: Project,
    include: Annotated[list[str] | None, typer.Option(help=f"Deploy pushes that change this. {_PATTERNS}")] = None,
    exclude: Annotated[list[str] | None, typer.Option(help=f"Changes that alone do not deploy. {_PATTERNS}")] = None,
    volume: Annotated[list[str] | None, typer.Option(help=f"A folder that outlives deployments. {_VOLUMES}")] = None,
    repository: Annotated[str | None, typer.Option(help="Where it is fetched from from now on.")] = None,
    branch: Annotated[str | None, typer.Option(help="What is deployed where nothing else is asked for.")] = None,
    *,
    keep_releases: Annotated[
        int | None, typer.Option(min=1, max=1_000, help="How many of the last releases stay on the node.")
    ] = None,
    scratch_mib: Annotated[
        int | None,
        typer.Option(min=0, help="What a container may write outside of its volumes; 0: as much as the node allows."),
    ] = None,
    restore_in: Annotated[
        str | None, typer.Option(help="Where a failing version gives way: production, everywhere or nowhere.")
    ] = None,
    watch_window_s: Annotated[int | None, typer.Option(help="Seconds for which a new version is watched.")] = None,
    errors_percent: Annotated[
        int | None, typer.Option(help="It fails if so many of a minute's answers have a status of 500 or more.")
    ] = None,
    probe_every_s: Annotated[int | None, typer.Option(help="Seconds between two probes while it is healthy.")] = None,
    probe_failures: Annotated[int | None, typer.Option(help="Bad answers in a row make it unhealthy.")] = None,
    probe_successes: Annotated[int | None, typer.Option(help="Good answers in a row make it healthy.")] = None,
    rollout: Annotated[
        str | None, typer.Option(help='Percent and time of each step of a rollout: 5:10m,25:30m; "" for none.')
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change settings for the deployments to come; what is not said stays as it is."""
    config = _or_none(scratch_mib=scratch_mib, rollout=rollout) | _given(
        include=_patterns(include),
        exclude=_patterns(exclude),
        keep_releases=keep_releases,
        volumes=None if volume is None else [_volume(one) for one in volume if one],
        watch=_given(restore_in=restore_in, window_s=watch_window_s, errors_percent=errors_percent) or None,
        liveness=_given(every_s=probe_every_s, failures=probe_failures, successes=probe_successes) or None,
    )
    body = _or_none(repository=repository, default_branch=branch) | _given(config=config or None)
    if not body:
        raise BadInputError("There is nothing to change.", f"Say what: {_SETTINGS}.")

    async def send(api: Api) -> Json:
        return await api.patch(project_path(project), body)

    done = run(send)
    if as_json:
        print_json(done)
    else:
        print_line("Saved. The next deployment uses it.")


def _liveness(liveness: Json) -> str:
    every, failures, successes = (liveness[name] for name in ("every_s", "failures", "successes"))
    return f"every {every} s; unhealthy after {failures} bad answers in a row, healthy after {successes} good ones"


def _watch(watch: Json) -> str:
    if watch["restore_in"] == "nowhere":
        return "no"
    where = "in production" if watch["restore_in"] == "production" else "in every environment"
    return (
        f"{where}, within {watch['window_s']} s after it went live, if its containers fail "
        f"or {watch['errors_percent']} % of its answers do"
    )


def _rollout(rollout: Json) -> str:
    if rollout is None:
        return "at once"
    steps = (f"{step['weight']} % of the requests for {step['for_s']} s" for step in rollout["steps"])
    return f"{', '.join(steps)}, then all of them"


def _or_none(**given: object) -> Json:
    """Return what is given; what is empty, or 0, stands for none."""
    return {name: value or None for name, value in given.items() if value is not None}


def _scratch(size: int | None) -> str:
    return "as much as the node allows" if size is None else f"{size // 2**20} MiB"


def _kept(releases: int) -> str:
    return "the last release" if releases == 1 else f"the last {releases} releases"


def _given(**settings: object) -> Json:
    return {name: value for name, value in settings.items() if value is not None}


def _patterns(written: list[str] | None) -> list[str] | None:
    return None if written is None else [one for one in written if one]


def _volume(written: str) -> Json:
    name, colon, path = written.partition(":")
    if not colon:
        raise BadInputError(f"{plain(written)[:80]!r} is no volume.", "Write NAME:PATH, like uploads:/app/uploads.")
    return {"name": name, "path": path}
