"""What is about to be deleted that no event retires: noted first, so that a life that dies meanwhile is finished.

Releases are retired in the log. For all else an event before the deletion would say too much, and one behind it could
be lost: so the node notes what it is about to do, and whoever comes next looks whether it was done, and says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from windlass_contracts.events import StorageReclaimed
from windlass_contracts.ids import EventId, ProjectId, TeamId


class Intent(BaseModel):
    """Something that is about to be deleted: `id` is the event's that will say so."""

    model_config = ConfigDict(frozen=True)

    id: EventId
    team: TeamId
    project: ProjectId
    event: StorageReclaimed


class Intents(Protocol):
    """The notes of a node."""

    def note(self, intent: Intent) -> None:
        """Keep it, through a crash of the machine too."""
        ...

    def noted(self) -> Sequence[Intent]:
        """Return all that were noted and not forgotten."""
        ...

    def forget(self, intent: Intent) -> None:
        """Drop it: it was said, or not done."""
        ...


@dataclass(slots=True)
class OwnIntents(Intents):
    """The notes of one process."""

    _noted: dict[EventId, Intent] = field(default_factory=dict)

    def note(self, intent: Intent) -> None:
        self._noted[intent.id] = intent

    def noted(self) -> Sequence[Intent]:
        return list(self._noted.values())

    def forget(self, intent: Intent) -> None:
        self._noted.pop(intent.id, None)
