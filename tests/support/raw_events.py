"""Messages on the stream that no service of ours would append."""

import json
from collections.abc import Mapping
from uuid import uuid4

from nats.js import JetStreamContext

from support.eventlog_samples import canceled, deployment_key
from windlass_contracts.cloudevent import MESSAGE_ID_HEADER
from windlass_eventlog.message import Message

INSTALLATION = "0a1b2c3d"


def good_message() -> Message:
    return Message.of(canceled(deployment_key()), INSTALLATION)


def changed(message: Message, headers: Mapping[str, str] | None = None, **attributes: object) -> Message:
    """Return the message with some headers and attributes of its envelope changed, under an id of its own."""
    event = str(uuid4())
    body = {**json.loads(message.body), "id": event, **attributes}
    return Message(
        message.subject, {**message.headers, MESSAGE_ID_HEADER: event, **(headers or {})}, json.dumps(body).encode()
    )


async def published(jetstream: JetStreamContext, message: Message) -> int:
    """Put a message on the stream without asking our own code whether it may be there."""
    ack = await jetstream.publish(message.subject, message.body, headers=dict(message.headers))
    return int(ack.seq)
