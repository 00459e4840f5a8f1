"""Frames in memory, for tests and simulations: passes the same contract tests as the real ones."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from windlass_contracts.run_frames import Frame
from windlass_eventlog.frames.port import Frames, Wire


@dataclass(slots=True)
class MemoryFrames(Frames):
    """Keeps every frame until it is forgotten."""

    _sent: defaultdict[Wire, list[Frame]] = field(default_factory=lambda: defaultdict(list))
    _forgotten: defaultdict[Wire, int] = field(default_factory=lambda: defaultdict(int))
    _some: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def send(self, wire: Wire, frame: Frame, *, alone: bool = False) -> None:
        if alone:
            self._forgotten[wire] = len(self._sent[wire])
        self._sent[wire].append(frame)
        async with self._some:
            self._some.notify_all()

    async def follow(self, wire: Wire) -> AsyncGenerator[Frame, None]:
        place = self._forgotten[wire]
        while True:
            async with self._some:
                while len(self._sent[wire]) <= place:
                    await self._some.wait()
            yield self._sent[wire][place]
            place += 1

    async def kept(self, wire: Wire) -> list[Frame]:
        return self._sent[wire][self._forgotten[wire] :]
