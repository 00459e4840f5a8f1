"""Making the durable of one service as it is wanted, or changing it into that."""

from dataclasses import replace

from nats.js import JetStreamContext, api
from nats.js.errors import APIError, NotFoundError

from windlass_contracts.subjects import STREAM
from windlass_eventlog.errors import ProvisioningError
from windlass_eventlog.jetstream import desired
from windlass_eventlog.jetstream.change import Action, Change
from windlass_eventlog.jetstream.drift import Drift, drifts
from windlass_eventlog.topology import Durable

_SETTINGS = (
    "deliver_policy",
    "ack_policy",
    "ack_wait",
    "max_deliver",
    "max_ack_pending",
    "filter_subject",
    "filter_subjects",
    "deliver_subject",
    "deliver_group",
)


async def consumer_drifts(jetstream: JetStreamContext, durable: Durable) -> list[Drift]:
    """Return where the server's consumer differs from what the topology says.

    Raises:
        NotFoundError: there is none.
    """
    found = (await jetstream.consumer_info(STREAM, durable.name)).config
    if found.deliver_policy == api.DeliverPolicy.BY_START_SEQUENCE:  # one that was made anew, behind what was done
        found = replace(found, deliver_policy=api.DeliverPolicy.ALL)
    return drifts(found, desired.consumer(durable), _SETTINGS)


async def make_consumer(jetstream: JetStreamContext, durable: Durable, first: int = 1) -> api.ConsumerInfo:
    """Make a durable that is not there; it delivers from the sequence `first` on."""
    config = desired.consumer(durable)
    if first > 1:
        config = replace(config, deliver_policy=api.DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=first)
    return await jetstream.add_consumer(STREAM, config)


async def ensure_consumer(jetstream: JetStreamContext, durable: Durable) -> Change | None:
    """Return what was done, None where nothing had to be. What was acknowledged stays so.

    Raises:
        ProvisioningError: the server has a consumer of that name that cannot be changed into the wanted one.
    """
    try:
        differences = await consumer_drifts(jetstream, durable)
    except NotFoundError:
        await make_consumer(jetstream, durable)
        return Change(Action.CREATED, f"consumer {durable.name}")
    if not differences:
        return None
    details = tuple(map(str, differences))
    found = (await jetstream.consumer_info(STREAM, durable.name)).config
    wanted = replace(desired.consumer(durable), opt_start_seq=found.opt_start_seq)
    if found.deliver_policy == api.DeliverPolicy.BY_START_SEQUENCE:
        wanted = replace(wanted, deliver_policy=found.deliver_policy)  # where one begins cannot be changed later
    try:
        await jetstream.add_consumer(STREAM, wanted)
    except APIError as error:
        msg = (
            f"The consumer {durable.name} of {STREAM} cannot be changed ({'; '.join(details)}): NATS says"
            f" {error.description!r}. Delete it with `nats consumer rm {STREAM} {durable.name}`, and start again:"
            " every wake-up comes once more then, which does no harm."
        )
        raise ProvisioningError(msg) from error
    return Change(Action.CORRECTED, f"consumer {durable.name}", details)
