"""What became of what a node kept, in words."""

from collections.abc import Mapping

from windlass_contracts.config import MIB
from windlass_contracts.events import ReleaseRetired, StorageReclaimed

_KINDS: Mapping[str, str] = {
    "release": "a release",
    "layer": "a layer of dependencies",
    "cache": "the cache of its builds",
    "network": "its network",
    "image": "an image that a build left over",
    "mirror": "a mirror of its repository",
    "upload": "an upload",
    "volume": "a volume",
    "container": "a container",
}
_REASONS: Mapping[str, str] = {
    "retention": "it is older than what the project keeps",
    "unreferenced": "nothing needs it any more",
    "disk-full": "the disk was running full",
    "asked": "somebody asked for that",
}
"""Both are open vocabularies: what is not here is told as it is."""


def retired(event: ReleaseRetired) -> str:
    return f"retired a release on {event.node}: {_reason(event.why)}"


def reclaimed(event: StorageReclaimed) -> str:
    kind = _KINDS.get(event.kind, f"something of the kind {event.kind}")
    size = "" if event.freed_bytes is None else f", {event.freed_bytes / MIB:,.1f} MiB at most"
    return f"deleted {kind} from {event.node}{size}: {_reason(event.why)}"


def _reason(why: str) -> str:
    return _REASONS.get(why, why)
