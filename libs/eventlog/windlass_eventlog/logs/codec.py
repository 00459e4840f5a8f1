"""A batch of lines as the body of a message: JSON, compressed with zstd at level 3."""

import zstandard
from pydantic import ValidationError

from windlass_contracts.logs import LogBatch
from windlass_eventlog.logs.batcher import BATCH_BYTES
from windlass_eventlog.logs.port import UnreadableBatchError

_LEVEL = 3
_MAX_BODY_BYTES = 8 * BATCH_BYTES
"""JSON writes one byte of text in six bytes at most; the rest is room for times and names."""


def encode_batch(batch: LogBatch) -> bytes:
    return zstandard.compress(batch.model_dump_json().encode(), _LEVEL)


def decode_batch(body: bytes) -> LogBatch:
    """Return the batch of a message, however hostile its body is.

    Raises:
        UnreadableBatchError: it is no batch, or larger than one may be.
    """
    try:
        if zstandard.frame_content_size(body) not in range(_MAX_BODY_BYTES + 1):
            raise UnreadableBatchError(f"A batch of lines says of no size, or of more than {_MAX_BODY_BYTES} bytes.")
        return LogBatch.model_validate_json(zstandard.decompress(body, _MAX_BODY_BYTES))
    except (zstandard.ZstdError, ValidationError) as error:
        raise UnreadableBatchError(
            f"A message of {len(body)} bytes is no batch of lines: {type(error).__name__}."
        ) from error
