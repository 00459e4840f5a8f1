"""The one step that makes streams, buckets and consumers, and brings them back to what this release wants."""

from dataclasses import replace
from pathlib import Path

import nats.errors
import structlog
from nats.js import api

from windlass_eventlog.errors import LogUnavailableError
from windlass_eventlog.jetstream import desired
from windlass_eventlog.jetstream.change import Change
from windlass_eventlog.jetstream.connection import Connection, connection
from windlass_eventlog.jetstream.consumers import ensure_consumer
from windlass_eventlog.jetstream.streams import ensure_stream
from windlass_eventlog.rights import PROVISIONER
from windlass_eventlog.topology import DURABLES

_PERSIST_MODE_SINCE = (2, 12)

_log = structlog.get_logger(__name__)


async def provision(nats_url: str, seed_file: Path | None = None) -> list[Change]:
    """Make what is missing, correct what drifted, and return what was done; harmless to repeat.

    Seed or URL name a user who may do that: no service's.

    Raises:
        ProvisioningError: something is there that cannot be changed into what is wanted; says what, why and what next.
        PermissionDeniedError, LogUnavailableError: the server cannot be asked.
    """
    async with connection(nats_url, PROVISIONER, seed_file) as link:
        try:
            changes = await _ensure_all(link)
        except (nats.errors.Error, OSError) as error:
            msg = f"NATS did not finish the provisioning: {str(error) or type(error).__name__}. Start it again."
            raise LogUnavailableError(msg) from error
    for change in changes:
        _log.info("provisioned", action=change.action, what=change.what, details=change.details)
    return changes


async def _ensure_all(link: Connection) -> list[Change]:
    jetstream = link.jetstream
    wanted = [_for_this_server(link, config) for config in desired.streams()]
    changes = [await ensure_stream(jetstream, config) for config in wanted]
    changes += [await ensure_consumer(jetstream, durable) for durable in DURABLES]
    return [change for change in changes if change is not None]


def _for_this_server(link: Connection, config: api.StreamConfig) -> api.StreamConfig:
    version = link.client.connected_server_version
    known = (version.major, version.minor) >= _PERSIST_MODE_SINCE
    return config if known else replace(config, persist_mode=None)
