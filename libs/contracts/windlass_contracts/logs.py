"""Lines of builds and containers on the stream `LOGS`: batches of JSON, compressed with zstd.

They are no events: they age out. A batch is one source's next lines, numbered from 0 within that source; the message's
id names deployment, source and first number, so that the server drops a batch that is sent twice.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from windlass_contracts.values import LogSource

LOG_STREAM = "LOGS"
ALL_LOGS = "log.>"
MAX_LINES = 200
MAX_LINE_BYTES = 64 * 1024
FLUSH_AFTER_MS = 50


class LogLine(BaseModel):
    """One line without its end; secrets are already replaced, colours are kept."""

    model_config = ConfigDict(frozen=True)

    time_ns: Annotated[int, Field(ge=0, description="nanoseconds since 1970, UTC")]
    stream: Literal["out", "err", "note"] = "out"
    text: str


class LogBatch(BaseModel):
    """The next lines of one source."""

    model_config = ConfigDict(frozen=True)

    version: Literal[1] = 1
    source: LogSource
    first: Annotated[int, Field(ge=0)]
    lines: Annotated[tuple[LogLine, ...], Field(min_length=1, max_length=MAX_LINES)]

    def message_id(self, owner: UUID) -> str:
        """Return the id that makes sending this batch twice harmless; `owner` is the deployment, or the command."""
        return f"{owner}:{self.source}:{self.first}"
