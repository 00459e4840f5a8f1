"""Releases: immutable images that deployments were built into."""

from typing import ClassVar

from windlass_contracts.event import Event
from windlass_contracts.subjects import Aggregate, Service
from windlass_contracts.values import Bytes, NodeName, ReleaseRef, ResourceName, Token


class ReleaseRetired(Event):
    """The release may be deleted: no deployment may start from it any more. Appended before anything is deleted."""

    TYPE: ClassVar = "release.retired.v1"
    AGGREGATE: ClassVar = Aggregate.RELEASES
    APPENDED_BY: ClassVar = frozenset({Service.BUILDER})

    release: ReleaseRef
    node: NodeName
    """Where it lies."""
    why: Token
    """`unreferenced`, `retention` or another rule that it fell under."""
    size_bytes: Bytes | None = None
    """What deleting it frees at most."""


class StorageReclaimed(Event):
    """Something that a node kept for the project is gone."""

    TYPE: ClassVar = "storage.reclaimed.v1"
    AGGREGATE: ClassVar = Aggregate.RELEASES
    APPENDED_BY: ClassVar = frozenset({Service.BUILDER})

    node: NodeName
    kind: Token
    """`release`, `cache`, `layer`, `network`, `mirror`, `volume`, `container`, `upload` or a later one."""
    name: ResourceName
    why: Token
    """The rule that it fell under: `retention`, `unreferenced`, `disk-full`, or `asked` for what somebody deleted."""
    freed_bytes: Bytes | None = None
    """As far as the node can tell."""
