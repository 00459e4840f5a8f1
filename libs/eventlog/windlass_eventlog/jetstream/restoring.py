"""A lost stream made again from a copy of its messages: the same bytes, ids and sequences, stored at a new time."""

from collections.abc import AsyncIterator, Sequence

from windlass_contracts.subjects import STREAM
from windlass_eventlog.errors import ProvisioningError
from windlass_eventlog.jetstream.connection import connection
from windlass_eventlog.message import StoredMessage


async def restore(nats_url: str, parts: AsyncIterator[Sequence[StoredMessage]]) -> int:
    """Append messages to the stream, each at its own sequence, behind what is there; return the last sequence.

    Broken off, it goes on where it was: what is in the stream already is left out. The URL names a user who may append
    in every service's name.

    Raises:
        ProvisioningError: something else was appended meanwhile, or before.
        nats.errors.Error: the server refused one, or did not answer.
    """
    async with connection(nats_url, "restorer") as link:
        last = (await link.jetstream.stream_info(STREAM)).state.last_seq
        async for part in parts:
            for message in part:
                if message.sequence <= last:
                    continue
                # With all its headers: the condition under which it was appended holds once more.
                ack = await link.jetstream.publish(message.subject, message.body, headers=dict(message.headers))
                if ack.seq != message.sequence:
                    msg = (
                        f"Sequence {message.sequence} of the copy would stand at {ack.seq} of {STREAM}: delete the"
                        " stream, provision it anew, and restore it before any service starts."
                    )
                    raise ProvisioningError(msg)
                last = message.sequence
    return last
