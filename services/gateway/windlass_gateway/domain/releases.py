"""What the gateway knows of a project's releases: which may be gone."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import ReleaseRetired


class Releases(BaseModel):
    """The row of a project's releases: each retired one with the sequence at which it was."""

    model_config = ConfigDict(frozen=True)

    retired: Mapping[str, int] = {}

    def gone_since(self, release: str, built: int) -> bool:
        """Whether the release was retired after it was built at that sequence."""
        return self.retired.get(release, 0) > built


def evolve(row: Releases | None, recorded: Recorded[Event]) -> Releases | None:
    """Fold one event into the row."""
    row = row or Releases()
    if isinstance(recorded.event, ReleaseRetired):
        return Releases(retired={**row.retired, recorded.event.release: recorded.sequence})
    return row
