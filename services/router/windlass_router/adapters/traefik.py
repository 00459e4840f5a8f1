"""One Traefik: it watches a folder for its configuration, and is asked for the generation that it serves.

The file is written outside the watched folder and renamed into it, so that Traefik sees one change. Asking for the
marker is polling: Traefik has no signal, and its reload metrics come before the routes are in place.
Source: https://doc.traefik.io/traefik/reference/install-configuration/providers/others/file/
"""

import asyncio
import os
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx

from windlass_router.application.proxy import NotConfirmedError, Rendered, RouteRefusedError
from windlass_router.domain.configuration import MARKER_HEADER, MARKER_HOST

FILE = "000-routes.yml"
_ASK_AGAIN_S = 0.008
_ANSWER_WITHIN_S = 2.0


@dataclass(slots=True)
class Traefik:
    """`folder` is the one it watches, `traffic` its entry point, `api` its API; both are reached on loopback."""

    node: str
    folder: Path
    traffic: str
    api: str
    marker_path: str
    client: httpx.AsyncClient

    @property
    def names(self) -> tuple[str, ...]:
        return (self.node,)

    async def apply(self, rendered: Rendered, within: timedelta) -> None:
        await asyncio.to_thread(self._write, rendered.content)
        try:
            async with asyncio.timeout(within.total_seconds()):
                await self._serves(rendered.generation)
                await self._enabled(rendered.routers)
        except TimeoutError as error:
            raise NotConfirmedError(self.node, rendered.generation, within) from error

    def _write(self, content: bytes) -> None:
        good, written = self.folder / FILE, self.folder.parent / f".{FILE}.new"
        with written.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if good.exists():
            last = self.folder.parent / f"{FILE}.last"
            last.unlink(missing_ok=True)
            os.link(good, last)
        written.replace(good)

    async def _serves(self, generation: int) -> None:
        """Wait until the marker tells the generation; a proxy that restarts does not answer meanwhile."""
        url = f"{self.traffic}{self.marker_path}"
        while True:
            try:
                answer = await self.client.get(url, headers={"Host": MARKER_HOST}, timeout=_ANSWER_WITHIN_S)
            except httpx.TransportError:
                told = ""
            else:
                told = answer.headers.get(MARKER_HEADER, "")
            if told == str(generation):
                return
            await asyncio.sleep(_ASK_AGAIN_S)

    async def _enabled(self, routers: Collection[str]) -> None:
        for name in routers:
            answer = await self.client.get(f"{self.api}/api/http/routers/{name}@file", timeout=_ANSWER_WITHIN_S)
            known = answer.json()
            if answer.status_code != httpx.codes.OK or known.get("status") != "enabled":
                why = "; ".join(map(str, known.get("error", []))) or f"status {answer.status_code}"
                raise RouteRefusedError(name, why)
