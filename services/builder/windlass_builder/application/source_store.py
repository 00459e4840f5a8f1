"""The port to where sources are kept: mirrors of repositories, and archives that were uploaded."""

from collections.abc import Collection, Sequence
from typing import Protocol
from uuid import UUID

from windlass_builder.application.source import SourceError
from windlass_builder.domain.belongings import SourceKind, StoredSource
from windlass_contracts.events.deployment import Source


class SourceInUseError(SourceError):
    """It is being fetched, or read, at this moment."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The source {name} is in use.")


class SourceStore(Protocol):
    """Keeps sources of one kind."""

    @property
    def kind(self) -> SourceKind: ...

    def names_of(self, source: Source, project: UUID) -> Collection[str]:
        """Return under which names this source of the project may be kept here; none where it is of another kind."""
        ...

    async def all(self) -> Sequence[StoredSource]:
        """Return what is kept.

        Raises: EventLogError, where the object store does not answer.
        """
        ...

    async def tidy(self) -> None:
        """Clear away what was cut off while it was put here, or while it was deleted.

        Raises: as `all`.
        """
        ...

    async def remove(self, name: str) -> None:
        """Delete it. Nothing happens where it is gone.

        Raises: SourceInUseError, and as `all`.
        """
        ...
