"""`windlass nodes`."""

from windlass.api import Api, Json
from windlass.commands.running import AsJson, print_json, print_line, run
from windlass.commands.table import print_table
from windlass.commands.volumes import size
from windlass.terminal import age, plain

_SHORT_ID = 8
_GIB = 1024**3


def nodes(*, as_json: AsJson = False) -> None:
    """List the nodes: what is built there, what waits and why, and what they have left."""

    async def ask(api: Api) -> Json:
        return await api.get("/nodes")

    found = run(ask)
    if as_json:
        print_json(found)
        return
    if not found:
        print_line("No node has said anything yet: `windlass doctor` shows whether the builder runs.")
        return
    header = ("NODE", "BUILDERS", "BUILDS", "WAITING", "DISK FREE", "MEMORY FREE", "VOLUMES", "SAID")
    print_table(header, [_cells(one) for one in found])
    for one in found:
        if one["refusing"] is not None:
            print_line(f"{plain(one['name'])} begins no builds: {plain(one['refusing']['reason'])}")
        for place in one["queue"]:
            identity = place["deployment"].replace("-", "")[:_SHORT_ID]
            print_line(f"{identity} waits, number {place['position']} in the queue: {plain(place['reason'])}")


def _cells(one: Json) -> tuple[str, ...]:
    return (
        plain(one["name"]),
        str(one["builders"]),
        str(one["builds"]),
        str(one["waiting"]),
        _left(one["disk_free"], one["disk_total"]),
        _left(one["memory_free"], one["memory_total"]),
        size(one["volumes"]),
        age(one["at"]),
    )


def _left(free: int | None, total: int | None) -> str:
    return "-" if free is None or not total else f"{free / _GIB:.1f} GiB of {total / _GIB:.1f}"
