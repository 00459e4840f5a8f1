"""Making one stream as it is wanted, or changing it into that, without ever losing what it holds."""

from dataclasses import replace

import structlog
from nats.js import JetStreamContext, api
from nats.js.errors import APIError, NotFoundError

from windlass_eventlog.errors import ProvisioningError
from windlass_eventlog.jetstream.change import Action, Change
from windlass_eventlog.jetstream.drift import Drift, drifts

_SETTINGS = (
    "subjects",
    "storage",
    "max_bytes",
    "max_age",
    "max_msgs_per_subject",
    "discard",
    "deny_delete",
    "deny_purge",
    "allow_rollup_hdrs",
    "allow_direct",
    "compression",
    "duplicate_window",
    "persist_mode",
    "republish",
)
_NO_ROOM = 10047
_LEAST_BYTES = 64 * 1024 * 1024

_log = structlog.get_logger(__name__)


async def ensure_stream(jetstream: JetStreamContext, wanted: api.StreamConfig) -> Change | None:
    """Return what was done, None where nothing had to be.

    Raises:
        ProvisioningError: the server has a stream of that name that cannot be changed into the wanted one.
    """
    name = wanted.name or ""
    try:
        found = (await jetstream.stream_info(name)).config
    except NotFoundError:
        return await _create(jetstream, wanted)
    return await correct_stream(jetstream, found, wanted)


async def correct_stream(
    jetstream: JetStreamContext, found: api.StreamConfig, wanted: api.StreamConfig
) -> Change | None:
    """Return what was done to a stream that was found, None where nothing had to be. One that is gone is not made.

    Raises:
        ProvisioningError: it cannot be changed into the wanted one.
    """
    differences = [drift for drift in drifts(found, wanted, _SETTINGS) if not _raised(drift)]
    if not differences:
        return None
    return await _correct(jetstream, found, differences)


def _raised(drift: Drift) -> bool:
    """Tell whether an operator gave the stream a larger budget than we do: the one way out of a full log."""
    found, wanted = drift.found, drift.wanted
    return drift.setting == "max_bytes" and isinstance(found, int) and isinstance(wanted, int) and found > wanted


async def _create(jetstream: JetStreamContext, wanted: api.StreamConfig) -> Change:
    """Make the stream; where the disk has no room for its whole budget, with half of it, and so on."""
    budget = wanted.max_bytes or 0
    while True:
        try:
            await jetstream.add_stream(replace(wanted, max_bytes=budget))
        except APIError as error:
            if error.err_code != _NO_ROOM or budget // 2 < _LEAST_BYTES:
                raise ProvisioningError(_refusal(str(wanted.name), "made", error)) from error
            budget //= 2
            _log.warning("provisioning.little_room", stream=wanted.name, budget_bytes=budget)
        else:
            return Change(Action.CREATED, f"stream {wanted.name}", (f"max_bytes: {budget}",))


async def _correct(jetstream: JetStreamContext, found: api.StreamConfig, differences: list[Drift]) -> Change | None:
    name = str(found.name)
    try:
        await jetstream.update_stream(found.evolve(**{drift.setting: drift.wanted for drift in differences}))
    except APIError as error:
        besides = [drift for drift in differences if drift.setting != "max_bytes"]
        if error.err_code == _NO_ROOM and len(besides) < len(differences):
            # There was no room for its budget when it was made, and there is none now.
            return await _correct(jetstream, found, besides) if besides else None
        details = "; ".join(map(str, differences))
        raise ProvisioningError(f"{_refusal(name, 'changed', error)} Wanted: {details}.") from error
    return Change(Action.CORRECTED, f"stream {name}", tuple(map(str, differences)))


def _refusal(name: str, deed: str, error: APIError) -> str:
    if error.err_code == _NO_ROOM:
        return f"The stream {name} cannot be {deed}: NATS has no room for it. Free space on its disk, and start again."
    return (
        f"The stream {name} cannot be {deed}: NATS says {error.description!r}. Nothing was changed. Back it up with"
        f" `nats stream backup {name} FOLDER`, delete it, and start again."
    )
