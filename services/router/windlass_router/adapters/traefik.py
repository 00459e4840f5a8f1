"""One Traefik, asked on loopback what it serves.

Asking for the marker again and again is polling: Traefik has no signal, and its reload metrics come before the routes
are in place. Source: https://doc.traefik.io/traefik/reference/install-configuration/api-dashboard/
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from windlass_router.domain.configuration import MARKER, MARKER_HEADER, MARKER_HOST

_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 0.001, 0.02
_SHARE_OF_THE_WAIT = 1 / 20
"""Few routes are served within 10 ms and thousands within a second: neither is noticed much later than it is true, and
the longer Traefik works, the less it is disturbed."""
_ANSWER_WITHIN_S = 2.0
_PROVIDER = "@file"


@dataclass(frozen=True, slots=True)
class Traefik:
    """`node` is where it runs, `traffic` its public entry point, `api` its API, both as URLs without a last slash."""

    node: str
    traffic: str
    api: str
    marker_path: str
    client: httpx.AsyncClient

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
        url = f"{self.traffic}{self.marker_path}"
        try:
            answer = await self.client.get(url, headers={"Host": MARKER_HOST}, timeout=_ANSWER_WITHIN_S)
        except httpx.TransportError:
            return None
        shown: str | None = answer.headers.get(MARKER_HEADER)
        return shown

    async def _disabled(self, mark: str) -> Mapping[str, str] | None:
        """Return the disabled routers; None while the API, an entry point of its own, is not as far yet."""
        try:
            marker = await self._ask(f"/api/http/middlewares/{MARKER}{_PROVIDER}")
            if marker["headers"]["customResponseHeaders"][MARKER_HEADER] != mark:
                return None
            routers = await self._ask("/api/http/routers?status=disabled")
            return {one["name"].removesuffix(_PROVIDER): "; ".join(one.get("error", ())) for one in routers}
        except (httpx.TransportError, httpx.HTTPStatusError, ValueError, KeyError, TypeError):
            return None

    async def _ask(self, path: str) -> Any:  # noqa: ANN401 - whatever JSON it answers
        answer = await self.client.get(f"{self.api}{path}", timeout=_ANSWER_WITHIN_S)
        return answer.raise_for_status().json()
