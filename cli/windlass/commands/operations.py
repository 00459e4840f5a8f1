"""Operations of services: asked for, and followed to their end."""

from collections.abc import Callable, Sequence
from contextlib import aclosing

from windlass.api import Api, Json
from windlass.commands.following import persistently
from windlass.errors import BadInputError
from windlass.terminal import plain

SERVICES = ("gateway", "builder", "monitor", "router", "logs")
ENDS = frozenset({"done", "failed", "silent"})


def meant(names: Sequence[str]) -> tuple[str, ...]:
    """Return the services of these names, each once.

    Raises:
        BadInputError: there is none of a name.
    """
    for name in names:
        if name not in SERVICES:
            raise BadInputError(
                f"There is no service {plain(name)[:60]!r}.", f"The services are {', '.join(SERVICES)}."
            )
    return tuple(dict.fromkeys(names))


async def carried_out(
    api: Api, service: str, kind: str, tell: Callable[[Json], None], project: str | None = None
) -> Json:
    """Ask a service for an operation, tell how far it is, and return the state in which it ended.

    Raises:
        CommandError: it is refused, or cannot be followed; it goes on nevertheless.
    """
    bounds = {} if project is None else {"project": project}
    asked = await api.post("/operations", {"service": service, "kind": kind, **bounds})
    return await followed(api, service, asked["id"], tell)


async def followed(api: Api, service: str, identity: str, tell: Callable[[Json], None]) -> Json:
    """Tell how far an operation is that was asked for, and return the state in which it ended.

    Raises:
        CommandError: it cannot be followed; it goes on nevertheless.
    """
    path = f"/operations/{service}/{identity}"
    async with aclosing(persistently(lambda: api.lines(path))) as answers:
        async for answer in answers:
            state = answer["state"]
            if state["state"] in ENDS:
                return state
            tell(state)
    raise AssertionError  # it is followed until its end, or an error
