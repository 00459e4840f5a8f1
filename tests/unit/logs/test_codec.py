"""Batches survive their way through a message; what is no batch is refused, however hostile."""

import json

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from windlass_contracts.logs import MAX_LINE_BYTES, LogBatch, LogLine
from windlass_eventlog.logs.codec import decode_batch, encode_batch
from windlass_eventlog.logs.port import UnreadableBatchError

BATCHES = st.builds(
    LogBatch,
    source=st.from_regex(r"[a-z0-9][a-z0-9.-]{0,20}", fullmatch=True),
    first=st.integers(0, 2**40),
    lines=st.lists(
        st.builds(
            LogLine, time_ns=st.integers(0, 2**63), stream=st.sampled_from(["out", "err", "note"]), text=st.text()
        ),
        min_size=1,
        max_size=5,
    ).map(tuple),
)


@given(BATCHES)
def test_a_batch_comes_back_as_it_was(batch: LogBatch) -> None:
    assert decode_batch(encode_batch(batch)) == batch


def test_the_largest_batch_can_be_read() -> None:
    lines = (LogLine(time_ns=2**62, text="\x00" * MAX_LINE_BYTES),) * 8
    batch = LogBatch(source="web", first=0, lines=lines)

    assert decode_batch(encode_batch(batch)) == batch


@given(st.binary(max_size=200))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(UnreadableBatchError):
        decode_batch(noise)
    with pytest.raises(UnreadableBatchError):
        decode_batch(zstandard.compress(noise))


def test_a_message_that_would_swell_is_refused_before_it_does() -> None:
    with pytest.raises(UnreadableBatchError, match="more than"):
        decode_batch(zstandard.compress(bytes(100 * 1024 * 1024)))
    with pytest.raises(UnreadableBatchError, match="no size"):
        decode_batch(zstandard.ZstdCompressor(write_content_size=False).compress(json.dumps({}).encode()))
