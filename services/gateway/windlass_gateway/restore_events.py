"""`python -m windlass_gateway.restore_events [COPY]`: makes a lost stream again from the raw copy.

Reads WINDLASS_NATS_URL, WINDLASS_DATABASE_URL (the gateway's), and WINDLASS_NATS_SEED_FOLDER: the folder with each
service's seed, in whose names the events are appended again. Without it, the URL names a user who may do that in all.
"""

import asyncio
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from windlass_contracts.subjects import STREAM
from windlass_eventlog.errors import EventLogError
from windlass_eventlog.jetstream.restoring import restore
from windlass_eventlog.postgres.database import database
from windlass_gateway.adapters.event_copy import Copied, CopiedStream, all_copies, copied_messages

_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


class NoSuchCopyError(Exception):
    """It is not clear which copy is meant, or that one is not there."""


async def restored(nats_url: str, database_url: str, *, seeds: Path | None = None, copy: int | None = None) -> int:
    """Restore a copy, the only one that has any events unless one is named; return the stream's last sequence.

    Raises:
        NoSuchCopyError: there is none, there are several, or the one that is named has no event.
        EventLogError: NATS or PostgreSQL do not answer, or something else stands in the stream.
    """
    async with database(database_url, "restore") as own:
        chosen = _chosen(await all_copies(own), copy)
        return await restore(nats_url, copied_messages(own, chosen), seeds)


def _chosen(copies: Sequence[CopiedStream], named: int | None) -> Copied:
    filled = {one.copy.id: one for one in copies if one.copy.position}
    if not filled:
        raise NoSuchCopyError("There is no copy of any event in this database.")
    if named is None and len(filled) == 1:
        return next(iter(filled.values())).copy
    if named in filled:
        return filled[named].copy
    what = "There are several copies" if named is None else f"There is no copy {named} that has any event"
    listed = "".join(
        f"\n  {number}: sequences 1 to {one.copy.position} of the stream that was made {one.stream_created:%F %T} UTC,"
        f" copied since {one.begun_at:%F %T} UTC"
        for number, one in filled.items()
    )
    raise NoSuchCopyError(f"{what}. Name one of these behind the command:{listed}")


def _main(arguments: Sequence[str]) -> str | None:
    """Restore, and return what went wrong."""
    missing = [name for name in ("WINDLASS_NATS_URL", "WINDLASS_DATABASE_URL") if not os.environ.get(name)]
    if missing:
        return f"Set {' and '.join(missing)}: docs/operations.md, The raw copy of every event, says to what."
    if len(arguments) > 1 or not all(map(_NUMBER.fullmatch, arguments)):
        return "The only argument is the number of a copy."
    seeds = os.environ.get("WINDLASS_NATS_SEED_FOLDER")
    restoring = restored(
        os.environ["WINDLASS_NATS_URL"],
        os.environ["WINDLASS_DATABASE_URL"],
        seeds=Path(seeds) if seeds else None,
        copy=int(arguments[0]) if arguments else None,
    )
    try:
        last = asyncio.run(restoring)
    except (EventLogError, NoSuchCopyError) as error:
        return str(error)
    sys.stdout.write(f"{STREAM} ends at sequence {last}. Start the services, then: windlass rebuild --all\n")
    return None


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
