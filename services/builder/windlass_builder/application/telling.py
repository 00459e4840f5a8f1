"""What the node says of itself, told to whoever shows it, by one of its builders."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from windlass_builder.application.measuring import Measuring
from windlass_builder.application.node import Node
from windlass_builder.application.projections import DEPLOYMENTS
from windlass_builder.application.queue import turns_of
from windlass_builder.domain.queue import Place, Request, in_turn, needs_a_build, places
from windlass_builder.domain.room import Room, Shortage
from windlass_contracts.ids import DeploymentId, ProjectId
from windlass_contracts.lifecycle import Phase
from windlass_eventlog.buckets import KeyValue
from windlass_eventlog.clock import Clock
from windlass_eventlog.errors import AWAY, NotReachedError
from windlass_eventlog.nodes import NodeState, QueuePlace, Refusing
from windlass_eventlog.projection import Rows

_AT_MOST_EVERY_S = 0.1
_AT_LEAST_EVERY_S = 60.0
_LOOK_AGAIN_S = 5.0
"""How often a node that is short, or where something waits, is measured: no system tells when that changes."""
_AGAIN_AFTER_S = 1.0
_A_WHILE = timedelta(hours=1)
_MOST_PLACES = 500
_MOST_BUILDERS = 16

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Telling:
    """Tells in `bucket`, each time something changed and at least once a minute."""

    rows: Rows
    bucket: KeyValue
    node: Node
    measure: Callable[[], Room]
    clock: Clock
    builder: int = 1
    volumes: Measuring | None = None
    _told: NodeState | None = None

    async def run(self) -> None:
        """Be there, and tell for all builders of the node if no other does, until canceled."""
        async with self.node.locks.alone(_presence(self.builder)), self.node.locks.alone("telling"):
            while True:
                position = self.rows.position
                wait = await self._tried()
                await asyncio.sleep(_AT_MOST_EVERY_S)
                await self._changed(position, wait)

    async def _changed(self, position: int, wait: float) -> None:
        """Wait until something happened, for so many seconds at most."""
        works: set[asyncio.Future[Any]] = {asyncio.ensure_future(self.rows.reached(position + 1, _A_WHILE))}
        if self.volumes is not None:
            works.add(asyncio.ensure_future(self.volumes.news.wait()))
        try:
            done, _ = await asyncio.wait(works, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for work in works:
                work.cancel()
            await asyncio.wait(works)
        try:
            for work in done:
                work.result()
        except NotReachedError:
            return
        except AWAY:
            await asyncio.sleep(_AGAIN_AFTER_S)

    async def _tried(self) -> float:
        """Tell, and return after how many seconds to look again."""
        try:
            state = await self.state()
            if self._told is None or self._is_news(self._told, state):
                await self.bucket.put(self.node.name, state.model_dump_json().encode())
                self._told = state
        except AWAY as away:
            _log.warning("node.untold", why=str(away))
            return _AGAIN_AFTER_S
        return _LOOK_AGAIN_S if state.queue or state.refusing else _AT_LEAST_EVERY_S

    def _is_news(self, before: NodeState, now: NodeState) -> bool:
        """Tell whether more changed than what always does."""
        unsteady = {"at", "disk_free", "memory_free"}
        changed = before.model_dump(exclude=unsteady) != now.model_dump(exclude=unsteady)
        return changed or (now.at - before.at).total_seconds() >= _AT_LEAST_EVERY_S

    async def state(self) -> NodeState:
        """Return what there is to be told now."""
        pending = await self.rows.find(DEPLOYMENTS, {"pending": True})
        waiting, building = [], dict[DeploymentId, ProjectId]()
        for found in pending:
            deployment, row = DeploymentId(found.key), found.row
            if row.phase is Phase.BUILDING:
                building[deployment] = row.project
            elif needs_a_build(row):
                waiting.append(Request(deployment, row.project, row.requested_sequence))
        order = in_turn(waiting, building.values(), await turns_of(self.rows, {one.project for one in waiting}))
        short, room = self.node.shortage(), self.measure()
        queue = places(order[:_MOST_PLACES], len(building), None if short is None else short.reason)
        sizes, mounted = self._volumes()
        return NodeState(
            at=self.clock(),
            builders=self._builders(),
            building=tuple(sorted(building)),
            queue=tuple(map(_told_place, queue)),
            refusing=_told_shortage(short),
            disk_free=room.disk_free,
            disk_total=room.disk_total,
            memory_free=room.memory_free,
            memory_total=room.memory_total,
            volumes=sizes,
            mounted=mounted,
        )

    def _volumes(self) -> tuple[dict[str, int], dict[str, tuple[UUID, ...]]]:
        if self.volumes is None:
            return {}, {}
        self.volumes.news.clear()
        return dict(self.volumes.sizes), dict(self.volumes.mounted)

    def _builders(self) -> int:
        """Count the builders of this node that live: each holds the lock that is named after it."""
        if not self.node.shared:
            return 1
        others = (number for number in range(1, _MOST_BUILDERS + 1) if number != self.builder)
        return 1 + sum(self._is_held(_presence(number)) for number in others)

    def _is_held(self, name: str) -> bool:
        release = self.node.locks.attempt(name)
        if release is not None:
            release()
        return release is None


def _presence(builder: int) -> str:
    return f"builder {builder}"


def _told_place(place: Place) -> QueuePlace:
    return QueuePlace(deployment=place.deployment, position=place.position, reason=place.reason)


def _told_shortage(short: Shortage | None) -> Refusing | None:
    return None if short is None else Refusing(code=short.code, reason=short.reason)
