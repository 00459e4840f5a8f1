"""What all use cases of the gateway work with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from windlass_contracts.subjects import Aggregate, AggregateKey
from windlass_eventlog.appender import Appender
from windlass_eventlog.buckets import Objects
from windlass_eventlog.frames.port import Frames
from windlass_eventlog.log import EventLog
from windlass_eventlog.logs.port import LogStore
from windlass_eventlog.projection import Rows
from windlass_eventlog.vault import Vault
from windlass_gateway.application.arriving import Arriving
from windlass_gateway.application.endings import Endings
from windlass_gateway.application.nodes import Nodes
from windlass_gateway.application.personal import Personal
from windlass_gateway.application.seats import Seats
from windlass_gateway.application.uptimes import Uptimes


@dataclass(slots=True)
class OwnWrites:
    """How far this process wrote itself: what it decides next knows of it.

    `settings` leaves out what is about single deployments. Whoever asks for a new one needs to know of nothing else:
    its id follows from the request, and the log takes each once.
    """

    sequence: int = 0
    settings: int = 0

    def note(self, key: AggregateKey, sequence: int) -> None:
        self.sequence = max(self.sequence, sequence)
        if key.aggregate is not Aggregate.DEPLOYMENT:
            self.settings = max(self.settings, sequence)


@dataclass(frozen=True, slots=True)
class Gateway:
    """The log, the rows, what lies beside them, and the sources of what deciders get as data: time and fresh ids."""

    log: EventLog
    rows: Rows
    append: Appender
    vault: Vault
    objects: Objects
    personal: Personal
    logs: LogStore
    terminals: LogStore
    frames: Frames
    clock: Callable[[], datetime]
    fresh_id: Callable[[], UUID]
    own: OwnWrites = field(default_factory=OwnWrites)
    endings: Endings = field(default_factory=Endings)
    nodes: Nodes = field(default_factory=Nodes)
    uptimes: Uptimes = field(default_factory=Uptimes)
    seats: Seats = field(default_factory=Seats)
    arriving: Arriving = field(default_factory=Arriving)
