"""Every stream, consumer and bucket of an installation: the provisioner makes exactly these, services only use them."""

from dataclasses import dataclass
from datetime import timedelta

from windlass_contracts.subjects import ALL_EVENTS, Service
from windlass_eventlog.buckets import Bucket

GIB = 1024**3


@dataclass(frozen=True, slots=True)
class Durable:
    """The consumer that wakes up a service's reactors.

    It delivers everything, and what is known and no reactor waits for is acknowledged unread: a consumer with two
    filters costs the server a search among all subjects for every single message, 0.7 ms with 1,000 of them and 1 ms
    with 2,000.

    It delivers without end, for a wake-up that was postponed often is no failure; reactors count their own. Those that
    are postponed count as pending too. More pending ones than a service takes up within `ack_wait` would come twice.
    After a service's death its wake-ups come again that late: nothing else delays a deployment as much.
    """

    service: Service
    filter: str = ALL_EVENTS
    ack_wait: timedelta = timedelta(seconds=3)
    max_ack_pending: int = 2_000

    @property
    def name(self) -> str:
        """One durable for each service, so that permissions can name it; those who share it are named alike."""
        return str(self.service)

    @property
    def deliver_subject(self) -> str:
        """Where the server sends the wake-ups: the service's user may subscribe to it, and nobody may publish."""
        return f"wake.{self.service}"


DURABLES: tuple[Durable, ...] = tuple(Durable(service) for service in Service)


def durable_of(service: Service) -> Durable:
    """Return the durable of a service; each has one."""
    return next(durable for durable in DURABLES if durable.service is service)


def republished(pattern: str) -> str:
    """Return where the server publishes what it has stored under a subject or pattern; nobody else may."""
    return f"stored.{pattern}"


EVENTS_BYTES = 8 * GIB
LOGS_BYTES = GIB
LOGS_AGE = timedelta(hours=24)
AUDIT_STREAM = "AUDIT"
ALL_AUDITS = "audit.>"
AUDIT_BYTES = GIB // 4
AUDIT_AGE = timedelta(days=90)
AUDITS_PER_SUBJECT = 1_000
"""A subject names actor and address, so that none of them can push out what the others did."""
TERMINAL_STREAM = "TERMINALS"
ALL_TERMINALS = "tty.>"
TERMINALS_BYTES = 64 * 1024**2
TERMINAL_SHARE_BYTES = TERMINALS_BYTES // 8
"""So much of it the lines of one command keep, before its own oldest go."""
TERMINALS_AGE = timedelta(hours=1)
TERMINALS_PER_SUBJECT = 10_000
"""What commands write is kept for who asked for it, in memory, and not for long."""
BUCKET_BYTES = GIB // 4
WATCHED = frozenset({Bucket.QUARANTINE, Bucket.OPERATIONS, Bucket.NODES, Bucket.SERIES})
"""The buckets whose changes are told; what the others hold is nobody's business before it is asked for."""
OBJECTS = "OBJECTS"
OBJECTS_BYTES = 4 * GIB
OBJECTS_RESERVE = 16
"""Such a part of the object store's budget (1 / 16) is never put into: what is deleted leaves a mark first, and a store
that takes not even that could not be emptied any more."""
DEDUPLICATED_FOR = timedelta(minutes=2)
