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

    async def handed_over(self) -> bytes | None:
        return await asyncio.to_thread(self.file.read)

    async def apply(self, rendered: Rendered, within: timedelta) -> Mapping[str, str]:
        fresh = await asyncio.to_thread(self.file.hand_over, rendered.content)
        if not fresh:
            return await self.serving(rendered.mark, within)
        settled = asyncio.ensure_future(asyncio.to_thread(self.file.settle))
        try:
            disabled = await self.serving(rendered.mark, within)
        finally:
            await settled
        await asyncio.to_thread(self.file.keep)
        return disabled

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
