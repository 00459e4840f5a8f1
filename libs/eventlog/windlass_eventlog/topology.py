"""Every stream, consumer and bucket of an installation: the provisioner makes exactly these, services only use them."""

from dataclasses import dataclass
from datetime import timedelta

from windlass_contracts.subjects import Aggregate, Service

GIB = 1024**3


@dataclass(frozen=True, slots=True)
class Durable:
    """The consumer that wakes up a service's reactors."""

    service: Service
    filters: tuple[str, ...]
    ack_wait: timedelta = timedelta(seconds=10)
    max_deliver: int = 30
    max_ack_pending: int = 1_000

    @property
    def name(self) -> str:
        """One durable for each service, so that permissions can name it."""
        return str(self.service)


def _about(aggregate: Aggregate, service: Service | str = "*") -> str:
    return f"evt.{service}.*.*.{aggregate}.*"


DURABLES: tuple[Durable, ...] = (
    Durable(Service.GATEWAY, (_about(Aggregate.DEPLOYMENT),)),
    Durable(Service.BUILDER, (_about(Aggregate.DEPLOYMENT), _about(Aggregate.ROUTES))),
    Durable(Service.MONITOR, (_about(Aggregate.DEPLOYMENT),)),
    Durable(Service.ROUTER, (_about(Aggregate.DEPLOYMENT), _about(Aggregate.ROUTES))),
    Durable(Service.LOGS, (_about(Aggregate.DEPLOYMENT),)),
)

EVENTS_BYTES = 8 * GIB
LOGS_BYTES = GIB
LOGS_AGE = timedelta(hours=24)
OBJECTS_BYTES = 4 * GIB
