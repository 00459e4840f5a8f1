"""From what was decided to what is served: one configuration at a time, with everything decided by then in it.

Whoever publishes while another publication is under way waits for the next one, which serves all that wait: the first
change goes out at once, those that follow go out together.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

from windlass_contracts.ids import DeploymentId
from windlass_eventlog.projection import Rows
from windlass_router.application.projections import DEPLOYMENTS, ROUTES
from windlass_router.application.proxy import Proxy, ProxyError, Rendered
from windlass_router.domain.configuration import Marker, OwnHost, Target, configuration, router_name
from windlass_router.domain.deployment import Deployment
from windlass_router.domain.routes import Routes


@dataclass(slots=True)
class Publisher:
    """Publishes the routes of all projects. `domain` is what every label stands below."""

    rows: Rows
    proxy: Proxy
    own: OwnHost
    domain: str
    marker_path: str
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _published: int = -1
    _targets: tuple[Target, ...] = ()

    async def publish(self, at_least: int, within: timedelta) -> int:
        """Return the generation, not older than `at_least`, that every proxy serves.

        Raises:
            ProxyError: they do not serve it in time.
            UnsafeRouteError: something in the rows is no host or address; nothing was written.
        """
        async with self._lock:
            if self._published >= at_least:
                return self._published
            generation = self.rows.position
            targets = await self._read()
            if self._published < 0 or targets != self._targets:
                await self._apply(targets, generation, within)
            self._published, self._targets = generation, targets
            return generation

    async def _apply(self, targets: tuple[Target, ...], generation: int, within: timedelta) -> None:
        content = configuration(targets, self.own, Marker(self.marker_path, generation))
        changed = set(targets) - set(self._targets)
        rendered = Rendered(content, generation, [router_name(target.deployment) for target in changed])
        try:
            await self.proxy.apply(rendered, within)
        except ProxyError:
            # It is not known what the proxy serves now: the next publication writes again, whatever it says.
            self._published = -1
            raise

    async def _read(self) -> tuple[Target, ...]:
        serving = {DeploymentId(found.key): found.row for found in await self.rows.find(DEPLOYMENTS, {"serving": True})}
        targets: list[Target] = []
        for routes in await self.rows.find(ROUTES, {}):
            targets += self._targets_of(routes.row, serving)
        return tuple(sorted(targets, key=lambda target: target.deployment.hex))

    def _targets_of(self, routes: Routes, serving: dict[DeploymentId, Deployment]) -> list[Target]:
        hosts: dict[DeploymentId, list[str]] = {}
        for pointer in routes.pointers.values():
            hosts.setdefault(pointer.current, []).append(self._host(pointer.alias.kind, pointer.alias.name))
        targets = []
        for deployment, names in hosts.items():
            row = serving.get(deployment)
            awake = row is not None and deployment in routes.awake
            targets.append(Target(deployment, tuple(sorted(names)), row.servers if awake and row else ()))
        return targets

    def _host(self, kind: str, name: str) -> str:
        return name if kind == "domain" else f"{name}.{self.domain}"
