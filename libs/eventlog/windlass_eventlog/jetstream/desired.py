"""What the provisioner wants the server to have, in the words of its API."""

from nats.js import api

from windlass_contracts.logs import ALL_LOGS, LOG_STREAM
from windlass_contracts.subjects import ALL_EVENTS, STREAM
from windlass_eventlog import topology
from windlass_eventlog.buckets import Bucket
from windlass_eventlog.topology import Durable, republished


def streams() -> tuple[api.StreamConfig, ...]:
    """Return every stream, those of the buckets and of the object store too."""
    return (_events(), _logs(), _terminals(), _audit(), *(_bucket(bucket) for bucket in Bucket), _objects())


def consumer(durable: Durable) -> api.ConsumerConfig:
    """Return the consumer of a durable: pushed, so that nobody polls, to whichever process of the service listens."""
    return api.ConsumerConfig(
        name=durable.name,
        durable_name=durable.name,
        deliver_policy=api.DeliverPolicy.ALL,
        ack_policy=api.AckPolicy.EXPLICIT,
        ack_wait=durable.ack_wait.total_seconds(),
        max_deliver=-1,
        max_ack_pending=durable.max_ack_pending,
        filter_subject=durable.filter,
        deliver_subject=durable.deliver_subject,
        deliver_group=durable.name,
    )


def _events() -> api.StreamConfig:
    return api.StreamConfig(
        name=STREAM,
        subjects=[ALL_EVENTS],
        storage=api.StorageType.FILE,
        max_bytes=topology.EVENTS_BYTES,
        max_age=0,
        discard=api.DiscardPolicy.NEW,
        deny_delete=True,
        deny_purge=True,
        allow_direct=True,
        compression=api.StoreCompression.S2,
        duplicate_window=topology.DEDUPLICATED_FOR.total_seconds(),
        republish=_again(ALL_EVENTS),
    )


def _logs() -> api.StreamConfig:
    return api.StreamConfig(
        name=LOG_STREAM,
        subjects=[ALL_LOGS],
        storage=api.StorageType.FILE,
        max_bytes=topology.LOGS_BYTES,
        max_age=topology.LOGS_AGE.total_seconds(),
        discard=api.DiscardPolicy.OLD,
        allow_direct=True,
        duplicate_window=topology.DEDUPLICATED_FOR.total_seconds(),
        persist_mode=api.PersistMode.ASYNC,  # it never delays an append beside it; a crash may cost its last lines
        republish=_again(ALL_LOGS),
    )


def _terminals() -> api.StreamConfig:
    return api.StreamConfig(
        name=topology.TERMINAL_STREAM,
        subjects=[topology.ALL_TERMINALS],
        storage=api.StorageType.MEMORY,
        max_bytes=topology.TERMINALS_BYTES,
        max_age=topology.TERMINALS_AGE.total_seconds(),
        max_msgs_per_subject=topology.TERMINALS_PER_SUBJECT,
        discard=api.DiscardPolicy.OLD,
        allow_rollup_hdrs=True,  # what has arrived is forgotten: a dump of any size needs no more than its window
        allow_direct=True,
        duplicate_window=topology.DEDUPLICATED_FOR.total_seconds(),
        republish=_again(topology.ALL_TERMINALS),
    )


def _audit() -> api.StreamConfig:
    return api.StreamConfig(
        name=topology.AUDIT_STREAM,
        subjects=[topology.ALL_AUDITS],
        storage=api.StorageType.FILE,
        max_bytes=topology.AUDIT_BYTES,
        max_age=topology.AUDIT_AGE.total_seconds(),
        max_msgs_per_subject=topology.AUDITS_PER_SUBJECT,
        discard=api.DiscardPolicy.OLD,
        allow_direct=True,
        duplicate_window=topology.DEDUPLICATED_FOR.total_seconds(),
    )


def _bucket(bucket: Bucket) -> api.StreamConfig:
    """Return a bucket that remembers one value a key, so that what is deleted is gone. Source: NATS ADR-8."""
    subjects = f"$KV.{bucket}.>"
    return api.StreamConfig(
        name=f"KV_{bucket}",
        subjects=[subjects],
        storage=api.StorageType.FILE,
        max_bytes=topology.BUCKET_BYTES,
        max_msgs_per_subject=1,
        discard=api.DiscardPolicy.NEW,
        deny_delete=True,
        allow_rollup_hdrs=True,
        allow_direct=True,
        duplicate_window=topology.DEDUPLICATED_FOR.total_seconds(),
        republish=_again(subjects) if bucket in topology.WATCHED else None,
    )


def _objects() -> api.StreamConfig:
    """Return the object store. Source: NATS ADR-20."""
    return api.StreamConfig(
        name=f"OBJ_{topology.OBJECTS}",
        subjects=[f"$O.{topology.OBJECTS}.C.>", f"$O.{topology.OBJECTS}.M.>"],
        storage=api.StorageType.FILE,
        max_bytes=topology.OBJECTS_BYTES,
        discard=api.DiscardPolicy.NEW,
        allow_rollup_hdrs=True,
        allow_direct=True,
        duplicate_window=topology.DEDUPLICATED_FOR.total_seconds(),
    )


def _again(pattern: str) -> api.RePublish:
    """Have what is stored published once more, with its sequence: that is how a stream is followed."""
    return api.RePublish(src=pattern, dest=republished(pattern))
