"""From what was decided to what is served: one configuration at a time, with everything decided by then in it.

The first change is handed over at once. Those that come before it is confirmed go out together afterwards, and each
caller waits for its own only as long as it wants to: a proxy that stays away keeps nobody from deciding.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import token_hex

from windlass_contracts.ids import DeploymentId
from windlass_eventlog.clock import Clock
from windlass_eventlog.errors import EventLogError
from windlass_eventlog.projection import Rows
from windlass_router.application.proxy import NotConfirmedError, Proxy, ProxyError, Rendered
from windlass_router.application.targets import Targets
from windlass_router.domain.configuration import Configuration, Site, configuration, deployment_of, mark_in

_LONGEST_TRY = timedelta(seconds=1)
"""After this long without confirmation, the latest routes are handed over again."""

_SHORTEST_TRY = timedelta(milliseconds=50)


def _nonce() -> str:
    """Return what tells two files of one generation apart: somebody may have changed the first."""
    return token_hex(4)


@dataclass(frozen=True, slots=True)
class Served:
    """Every proxy serves what was decided up to this sequence, but for the routes of these deployments."""

    generation: int
    refused: Mapping[DeploymentId, str]


@dataclass(frozen=True, slots=True)
class _Waiter:
    generation: int
    since: datetime
    until: datetime
    answer: asyncio.Future[Served]


@dataclass(slots=True)
class Publisher:
    """Publishes the routes of all projects while `run` runs."""

    rows: Rows
    proxy: Proxy
    site: Site
    clock: Clock
    nonce: Callable[[], str] = _nonce
    _targets: Targets = field(init=False)
    _waiting: list[_Waiter] = field(default_factory=list)
    _asked: asyncio.Event = field(default_factory=asyncio.Event)
    _served: Served | None = None

    def __post_init__(self) -> None:
        self._targets = Targets(self.rows, self.site.domain)

    async def publish(self, at_least: int, until: datetime) -> Served:
        """Return what is served, once that contains everything up to `at_least`, which the rows have reached.

        Raises:
            NotConfirmedError: the proxies did not serve it by `until`.
            NotWrittenError: it could not be handed over to them.
            EventLogError: the rows cannot be read now.
        """
        if self._served is not None and self._served.generation >= at_least:
            return self._served
        waiter = _Waiter(at_least, self.clock(), until, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        self._asked.set()
        try:
            return await waiter.answer
        finally:
            self._waiting.remove(waiter)

    async def run(self) -> None:
        """Serve those who publish, until canceled."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            while waiting := self._unanswered():
                await self._answer(min(waiter.until for waiter in waiting))

    async def _answer(self, earliest: datetime) -> None:
        within = max(_SHORTEST_TRY, min(_LONGEST_TRY, earliest - self.clock()))
        try:
            self._served = await self._bring(within)
        except NotConfirmedError as error:
            self._settle_late(error)
        except (ProxyError, EventLogError) as error:
            for waiter in self._unanswered():
                waiter.answer.set_exception(error)
        else:
            for waiter in self._unanswered():
                if self._served.generation >= waiter.generation:
                    waiter.answer.set_result(self._served)

    def _settle_late(self, error: NotConfirmedError) -> None:
        """Tell those who cannot wait any longer; for the others it is tried again."""
        now = self.clock()
        for waiter in self._unanswered():
            if waiter.until <= now:
                waiter.answer.set_exception(NotConfirmedError(error.proxy, now - waiter.since))

    def _unanswered(self) -> list[_Waiter]:
        return [waiter for waiter in self._waiting if not waiter.answer.done()]

    async def _bring(self, within: timedelta) -> Served:
        """Let the proxies serve what the rows say now."""
        generation = self.rows.position
        _, wanted = await self._compared(f"{generation}-{self.nonce()}")
        disabled = await self.proxy.apply(Rendered(wanted.content, wanted.mark), within)
        return Served(generation, {**wanted.refused, **_by_deployment(disabled)})

    async def unchanged(self) -> Configuration | None:
        """Return what the proxies were given last, if it says what the rows say now.

        Raises:
            NotWrittenError: it cannot be read.
        """
        there, wanted = await self._compared(self.nonce())
        return wanted if there else None

    async def _compared(self, fresh: str) -> tuple[bool, Configuration]:
        """Return whether the file that is there says what the rows say, and what does: that, or one with this mark."""
        targets = await self._targets.read()
        present = await self.proxy.handed_over()
        mark = None if present is None else mark_in(present)
        if mark is None:
            return False, configuration(targets, self.site, fresh)
        wanted = configuration(targets, self.site, mark)  # made once: the more routes there are, the longer it takes
        there = wanted.content == present
        return there, wanted if there else wanted.marked(fresh)


def _by_deployment(disabled: Mapping[str, str]) -> Mapping[DeploymentId, str]:
    return {deployment: why for name, why in disabled.items() if (deployment := deployment_of(name)) is not None}
