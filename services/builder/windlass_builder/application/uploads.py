"""The port to what was uploaded, and what can be wrong with it.

SourceError
├── UploadGoneError       it is not in the object store any more
├── UploadDamagedError    it is not what the deployment names
└── BadArchiveError       it is no archive, or one that must not be unpacked
"""

from pathlib import Path
from typing import Protocol

from windlass_builder.application.source import SourceError
from windlass_contracts.events.deployment import UploadSource


class UploadGoneError(SourceError):
    """It is not in the object store any more."""

    def __init__(self, digest: str) -> None:
        super().__init__(
            f"The upload {digest[:19]} is not there any more: deploy the folder again with `windlass deploy FOLDER`."
        )


class UploadDamagedError(SourceError):
    """What is stored is not what the deployment names."""

    def __init__(self, digest: str) -> None:
        super().__init__(f"What is stored as the upload {digest[:19]} is something else: deploy the folder again.")


class BadArchiveError(SourceError):
    """It is no archive, or one that must not be unpacked."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The uploaded archive cannot be used: {why}. `windlass deploy FOLDER` packs folders as they have to be."
        )


class UploadFetcher(Protocol):
    """Fetches what was uploaded."""

    async def fetch(self, source: UploadSource, root: str, archive: Path) -> None:
        """Write the files under the root as a tar to `archive`; whole or not at all. May be repeated.

        Raises:
            SourceError: it cannot be had, or must not be.
            EventLogError: the object store does not answer.
        """
        ...
