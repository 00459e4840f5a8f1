"""Every stream, consumer and bucket of an installation: the provisioner makes exactly these, services only use them."""

from dataclasses import dataclass
from datetime import timedelta

from windlass_contracts.subjects import Aggregate, Service

GIB = 1024**3


@dataclass(frozen=True, slots=True)
class Durable:
    """The consumer that wakes up a service's reactors.

    The server delivers without end, for a wake-up that was postponed often is no failure; reactors count their own.
    `max_ack_pending` counts those that are postponed, for a day perhaps, as well.
    """

    service: Service
    filters: tuple[str, ...]
    ack_wait: timedelta = timedelta(seconds=10)
    max_ack_pending: int = 10_000

    @property
    def name(self) -> str:
        """One durable for each service, so that permissions can name it; those who share it are named alike."""
        return str(self.service)

    @property
    def deliver_subject(self) -> str:
        """Where the server sends the wake-ups: the service's user may subscribe to it, and nobody may publish."""
        return f"wake.{self.service}"


def _about(aggregate: Aggregate, service: Service | str = "*") -> str:
    return f"evt.{service}.*.*.{aggregate}.*"


DURABLES: tuple[Durable, ...] = (
    Durable(Service.GATEWAY, (_about(Aggregate.DEPLOYMENT), _about(Aggregate.ROUTES))),
    Durable(Service.BUILDER, (_about(Aggregate.DEPLOYMENT), _about(Aggregate.ROUTES))),
    Durable(Service.MONITOR, (_about(Aggregate.DEPLOYMENT),)),
    Durable(Service.ROUTER, (_about(Aggregate.DEPLOYMENT), _about(Aggregate.ROUTES))),
    Durable(Service.LOGS, (_about(Aggregate.DEPLOYMENT),)),
)


def durable_of(service: Service) -> Durable:
    """Return the durable of a service; each has one."""
    return next(durable for durable in DURABLES if durable.service is service)


EVENTS_BYTES = 8 * GIB
LOGS_BYTES = GIB
LOGS_AGE = timedelta(hours=24)
AUDIT_STREAM = "AUDIT"
ALL_AUDITS = "audit.>"
AUDIT_BYTES = GIB // 4
AUDIT_AGE = timedelta(days=90)
AUDITS_PER_SUBJECT = 1_000
"""A subject names actor and address, so that none of them can push out what the others did."""
BUCKET_BYTES = GIB // 4
OBJECTS = "OBJECTS"
OBJECTS_BYTES = 4 * GIB
DEDUPLICATED_FOR = timedelta(minutes=2)
