"""What the nodes say of themselves: who waits for a build there, and whether they take any."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import NoReturn
from uuid import UUID

import structlog

from windlass_eventlog.buckets import KeyValue
from windlass_eventlog.nodes import NodeState, node_state
from windlass_gateway.domain.bearings import Queued

_log = structlog.get_logger(__name__)

Told = Callable[[Iterable[UUID]], None]


@dataclass(slots=True)
class Nodes:
    """The last word of each node."""

    _said: dict[str, NodeState] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def states(self) -> Mapping[str, NodeState]:
        """Return what each node said last, by its name."""
        return dict(sorted(self._said.items()))

    @property
    def waiting(self) -> int:
        """How many deployments wait for a build."""
        return sum(len(state.queue) for state in self._said.values())

    def queued(self, deployment: UUID) -> Queued | None:
        """Return where a deployment stands in the queue; None where no node has it in one."""
        for state in self._said.values():
            for place in state.queue:
                if place.deployment == deployment:
                    return Queued(place.position, place.reason)
        return None

    async def places(self, deployment: UUID) -> AsyncGenerator[Queued, None]:
        """Yield where a deployment stands in the queue, now and each time that changes, for ever."""
        told = None
        while True:
            changed, queued = self._changed, self.queued(deployment)
            if queued is not None and queued != told:
                told = queued
                yield queued
            await changed.wait()

    async def follow(self, bucket: KeyValue, told: Told) -> NoReturn:
        """Listen for ever, and tell of whom something else is true now.

        Raises:
            NotProvisionedError: the bucket is gone.
        """
        async with aclosing(bucket.watch()) as changes:
            async for change in changes:
                told(self._take(change.key, change.value))
                self._changed.set()
                self._changed = asyncio.Event()
        raise AssertionError  # a watch ends by an error only

    def _take(self, node: str, value: bytes | None) -> set[UUID]:
        before = self._said.pop(node, None)
        state = None if value is None else node_state(value)
        if state is not None:
            self._said[node] = state
        elif value is not None:
            _log.error("node.unreadable", node=node)
        return {deployment for deployment, _ in _places(before) ^ _places(state)}


def _places(state: NodeState | None) -> set[tuple[UUID, str]]:
    if state is None:
        return set()
    return {(one.deployment, f"{one.position} {one.reason}") for one in state.queue}
