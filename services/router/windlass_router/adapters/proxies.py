"""All Traefiks of an installation: they watch one file, and each of them is asked."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from windlass_router.adapters.routes_file import RoutesFile
from windlass_router.adapters.traefik import Traefik
from windlass_router.application.proxy import NotConfirmedError, Proxy, Rendered


@dataclass(frozen=True, slots=True)
class Proxies(Proxy):
    """Hands the configuration over as a file; every proxy has to confirm it."""

    file: RoutesFile
    instances: Sequence[Traefik]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(one.node for one in self.instances)

    def close(self) -> None:
        """Hang up."""
        for one in self.instances:
            one.close()

    async def handed_over(self) -> bytes | None:
        return self.file.read()

    async def apply(self, rendered: Rendered, within: timedelta) -> Mapping[str, str]:
        # A thread waits for the disk. To read and to rename takes less time than the way to a thread and back.
        if not self.file.hand_over(rendered.content):
            return await self.serving(rendered.mark, within)
        settled = asyncio.ensure_future(asyncio.to_thread(self._settle))
        try:
            disabled = await self.serving(rendered.mark, within)
        finally:
            await settled
        self.file.keep()
        return disabled

    def _settle(self) -> None:
        self.file.settle()
        self.file.copy()

    async def serving(self, mark: str, within: timedelta) -> Mapping[str, str]:
        answers = await asyncio.gather(
            *(self._confirmed(one, mark, within) for one in self.instances), return_exceptions=True
        )
        disabled: dict[str, str] = {}
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
            disabled |= answer
        return disabled

    async def _confirmed(self, proxy: Traefik, mark: str, within: timedelta) -> Mapping[str, str]:
        try:
            async with asyncio.timeout(within.total_seconds()):
                return await proxy.serves(mark)
        except TimeoutError as error:
            raise NotConfirmedError(proxy.node, within) from error
