"""A proxy in memory: it serves what it was given, unless it is told to be away for a while or to refuse a router."""

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from windlass_router.application.proxy import NotConfirmedError, Proxy, Rendered
from windlass_router.domain.configuration import MARKER, MARKER_HEADER


@dataclass
class MemoryProxy(Proxy):
    """Passes the same contract tests as Traefik. `pass_time` is called instead of waiting in vain."""

    outage: timedelta = timedelta()
    refuses: Collection[str] = ()
    marks: list[str] = field(default_factory=list)
    pass_time: Callable[[timedelta], None] = lambda _: None
    _given: bytes | None = None
    _served: dict[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        return ("memory",)

    async def handed_over(self) -> bytes | None:
        return self._given

    async def apply(self, rendered: Rendered, within: timedelta) -> Mapping[str, str]:
        self._given = rendered.content
        spent = min(within, self.outage)
        self.outage -= spent
        self.pass_time(spent)
        if spent == within:
            raise NotConfirmedError("memory", within)
        self._take(rendered.content)
        if self.marks[-1:] != [rendered.mark]:
            self.marks.append(rendered.mark)
        return self.disabled()

    async def serving(self, mark: str, within: timedelta) -> Mapping[str, str]:
        if self.outage or not self._served or self._shown != mark:
            self.pass_time(within)
            raise NotConfirmedError("memory", within)
        return self.disabled()

    @property
    def _shown(self) -> str:
        mark: str = self._served["middlewares"][MARKER]["headers"]["customResponseHeaders"][MARKER_HEADER]
        return mark

    def disabled(self) -> Mapping[str, str]:
        """Return the routers that are served, but not as they were meant, and why."""
        return {name: why for name in self._served["routers"] if (why := self._fault(name))}

    def _take(self, content: bytes) -> None:
        self._served = json.loads(content)["http"]

    def servers(self, host: str) -> list[str] | None:
        """Return where requests for a host go; None where nobody answers for it."""
        weights = self.weights(host)
        return None if weights is None else list(weights)

    def weights(self, host: str) -> dict[str, int] | None:
        """Return which percentage of the requests for a host goes to which servers; None where nobody answers."""
        parts = self.parts(host)
        return None if parts is None else {url: percent for percent, urls in parts.values() for url in urls}

    def parts(self, host: str) -> dict[str, tuple[int, list[str]]] | None:
        """Return which services get which percentage of the requests for a host, and where each sends them."""
        router = self.router_of(host)
        if router is None:
            return None
        name = str(self._served["routers"][router]["service"])
        service = self._service(name)
        parts = service.get("weighted", {}).get("services", [])
        if not parts:
            return {name: (100, _urls(service))}
        return {part["name"]: (part["weight"], _urls(self._service(part["name"]))) for part in parts}

    def _service(self, name: str) -> dict[str, Any]:
        service: dict[str, Any] = self._served["services"][name]
        return service

    def router_of(self, host: str) -> str | None:
        """Return which router takes requests for a host."""
        routers = self._served.get("routers", {})
        for name in sorted(routers, key=lambda name: -routers[name].get("priority", 0)):
            if not self._fault(name) and _fits(routers[name]["rule"], host):
                return str(name)
        return None

    def _fault(self, name: str) -> str:
        service = self._served["routers"][name]["service"]
        if not service.endswith("@internal") and service not in self._served["services"]:
            return f'the service "{service}@file" does not exist'
        return "it is told to" if name in self.refuses else ""


def _urls(service: Mapping[str, Any]) -> list[str]:
    return [server["url"] for server in service["loadBalancer"]["servers"]]


def _fits(rule: str, host: str) -> bool:
    hosts = (json.loads(literal) for literal in re.findall(r'Host\(("[^"]*")\)', rule))
    patterns = (json.loads(literal) for literal in re.findall(r'HostRegexp\(("[^"]*")\)', rule))
    return "Path(" not in rule and (host in hosts or any(re.fullmatch(pattern, host) for pattern in patterns))
