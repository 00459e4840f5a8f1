"""What the builder knows of a wish to look into a repository, and what it answers about the repository's refs."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, ValidationError

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import InspectionFailed, InspectionRequested, SourceInspected
from windlass_contracts.events.deployment import GitSource
from windlass_contracts.events.inspection import Head

EXPIRES_AFTER = timedelta(minutes=10)
"""Nobody waits for an answer longer than that."""

_MOST_HEADS = 500
# With both lists this long, the answer is well below what an event may be (512 KiB), however its names are written.
_MOST_BYTES = 200_000


class Inspection(BaseModel):
    """The row of an inspection."""

    model_config = ConfigDict(frozen=True)

    source: GitSource
    root: str | None
    requested_at: datetime
    answered: bool = False

    def expired(self, now: datetime) -> bool:
        return now - self.requested_at > EXPIRES_AFTER


def evolve(row: Inspection | None, recorded: Recorded[Event]) -> Inspection | None:
    """Fold one event into the row."""
    match recorded.event:
        case InspectionRequested(source=source, root=root):
            return Inspection(source=source, root=root, requested_at=recorded.metadata.time)
        case SourceInspected() | InspectionFailed() if row is not None:
            return row.model_copy(update={"answered": True})
        case _:
            return row


def first_heads(commits: Mapping[str, str]) -> tuple[Head, ...]:
    """Return the first 500 by name, fewer of very long names; what no deployment could ask for is left out."""
    heads: list[Head] = []
    room = _MOST_BYTES
    for name in sorted(commits):
        try:
            head = Head(name=name, commit=commits[name])
        except ValidationError:
            continue
        room -= len(head.model_dump_json()) + len(name.encode())
        if len(heads) == _MOST_HEADS or room < 0:
            break
        heads.append(head)
    return tuple(heads)
