"""One Traefik, asked on loopback what it serves.

Asking for the marker again and again is polling: Traefik has no signal, and its reload metrics come before the routes
are in place. Source: https://doc.traefik.io/traefik/reference/install-configuration/api-dashboard/
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass

from windlass_router.adapters.kept_connection import KeptConnection, NoAnswerError
from windlass_router.domain.configuration import MARKER, MARKER_HEADER, MARKER_HOST

_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 0.001, 0.02
_SHARE_OF_THE_WAIT = 1 / 20
"""Few routes are served within 10 ms and thousands within a second: neither is noticed much later than it is true, and
the longer Traefik works, the less it is disturbed."""
_ANSWER_WITHIN_S = 2.0
_OK = 200
_PROVIDER = "@file"
_OF_THE_API = (f"/api/http/middlewares/{MARKER}{_PROVIDER}", "/api/http/routers?status=disabled")


@dataclass(frozen=True, slots=True)
class Traefik:
    """`node` is where it runs, `traffic` its public entry point, `api` its API: both stay connected until it is closed.

    Who asks the API hears of the mark first: the routers that it tells of afterwards are no older.
    """

    node: str
    traffic: KeptConnection
    api: KeptConnection
    marker_path: str

    @classmethod
    def at(cls, node: str, traffic: str, api: str, marker_path: str) -> "Traefik":
        """Return it by the URLs of its public entry point and of its API, without a last slash."""
        return cls(node, KeptConnection(traffic), KeptConnection(api), marker_path)

    def close(self) -> None:
        """Hang up."""
        self.traffic.close()
        self.api.close()

    async def serves(self, mark: str) -> Mapping[str, str]:
        """Return once it serves the configuration with this mark: the routers that it disabled, and why."""
        loop = asyncio.get_running_loop()
        began = loop.time()

        async def pause() -> None:
            waited = loop.time() - began
            await asyncio.sleep(min(_LONGEST_PAUSE_S, max(_SHORTEST_PAUSE_S, waited * _SHARE_OF_THE_WAIT)))

        while await self._shown() != mark:
            await pause()
        while (disabled := await self._disabled(mark)) is None:
            await pause()
        return disabled

    async def _shown(self) -> str | None:
        """Return the mark that requests meet now, None while it does not answer."""
        try:
            (answer,) = await self.traffic.ask([self.marker_path], host=MARKER_HOST, within_s=_ANSWER_WITHIN_S)
        except NoAnswerError:
            return None
        return answer.headers.get(MARKER_HEADER.lower())

    async def _disabled(self, mark: str) -> Mapping[str, str] | None:
        """Return the disabled routers; None while the API, an entry point of its own, is not as far yet."""
        try:
            answers = await self.api.ask(_OF_THE_API, within_s=_ANSWER_WITHIN_S)
            marker, routers = (json.loads(answer.body) for answer in answers if answer.status == _OK)
            if marker["headers"]["customResponseHeaders"][MARKER_HEADER] != mark:
                return None
            return {one["name"].removesuffix(_PROVIDER): "; ".join(one.get("error", ())) for one in routers}
        except (NoAnswerError, ValueError, KeyError, TypeError):
            return None
