"""All containers of a deployment ended on its way: with the engine or the machine, or by the app's own doing."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from windlass_contracts.cloudevent import Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import ContainerStopped
from windlass_contracts.lifecycle import Phase
from windlass_contracts.replicas import ReplicaSet

_ON_THE_WAY = frozenset({Phase.HEALTHY, Phase.CUTOVER})


class Loss(BaseModel):
    """The last loss, since `at`; `own` where the app ended by itself, so that nobody starts it again.

    It is over from the sequence `over` on, at the time `over_at`, when some container was healthy again; 0 until then.
    """

    model_config = ConfigDict(frozen=True)

    at: datetime
    own: bool = False
    over: int = 0
    over_at: datetime | None = None


def loss_after(known: Loss | None, recorded: Recorded[Event], phase: Phase, replicas: ReplicaSet) -> Loss | None:
    """Return what is known of a loss after an event that led to these containers.

    One that is not over goes on with the next end of a container: so what ends again and again has its one deadline.
    """
    event, now = recorded.event, recorded.metadata.time
    if phase not in _ON_THE_WAY:
        return None
    if isinstance(event, ContainerStopped) and not replicas.serving:
        goes_on = known if known is not None and not known.over else Loss(at=now)
        return goes_on.model_copy(update={"own": goes_on.own or not event.from_outside})
    if known is not None and not known.over and replicas.healthy:
        return known.model_copy(update={"over": recorded.sequence, "over_at": now})
    return known
