"""The proxy's whole dynamic configuration, made from what the router has decided; nothing of it is anybody's text.

What is no plain host name or address, and what another project has, is left out and told: it harms nobody else.
Source of the format: https://doc.traefik.io/traefik/reference/routing-configuration/
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ParamSpec
from uuid import UUID

from windlass_contracts.ids import DeploymentId
from windlass_router.domain.aliases import ASLEEP_OR_UNKNOWN
from windlass_router.domain.hosts import UnsafeHostError, host_rule, server_url

MARKER = "windlass-generation"
MARKER_HOST = "_gen.invalid"
MARKER_HEADER = "X-Gen"
OWN = "windlass-own"
ASLEEP = "windlass-asleep"
APPS = "windlass-apps"
ANOTHER = "windlass-another"
_TO_APPS = {"maxIdleConnsPerHost": 200, "forwardingTimeouts": {"idleConnTimeout": "4s"}}
"""How the proxy talks to apps. An idle connection is closed soon, so that one that is open is one in use; and before
most servers close it (Node and uvicorn after 5 s), which could be in the very moment of the next request."""
_TRY_ANOTHER = {"retry": {"attempts": 3}}
"""A container that has just crashed is not out of the file yet: what could not be begun there goes to the next one.
What a container was sent anything of is never sent again."""
_ASLEEP_PRIORITY, _APP_PRIORITY, _OWN_PRIORITY, _MARKER_PRIORITY = 50, 100, 1_000, 10_000
_ROUTER = re.compile(r"d-([0-9a-f]{32})(-with-[0-9a-f]{32}-[0-9]{1,2})?")
_MARK = re.compile(rf'"{MARKER_HEADER}": "([0-9a-f-]{{1,40}})"'.encode())

Section = dict[str, dict[str, Any]]
P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Target:
    """A deployment, where its containers answer, and its hosts, each with the sequence since which it has it.

    `brought` names those hosts that are domains of somebody's own. One that `lost` answers at none but its own address
    any more.
    """

    deployment: DeploymentId
    hosts: Mapping[str, int]
    servers: tuple[tuple[str, int], ...]
    lost: bool = False
    brought: frozenset[str] = frozenset()
    shares: tuple["Share", ...] = ()


@dataclass(frozen=True, slots=True)
class Share:
    """Those hosts of a target of which another deployment of the project gets a percentage of the requests."""

    hosts: frozenset[str]
    deployment: DeploymentId
    percent: int


@dataclass(frozen=True, slots=True)
class Site:
    """What is the platform's own: its domain, the port of its gateway on loopback, and the marker's secret path.

    `base` is a configuration of whoever runs the proxy, which each file contains; ours goes before it.
    """

    domain: str
    gateway_port: int
    marker_path: str
    base: Mapping[str, Any] = field(default_factory=dict)

    @property
    def own_host(self) -> str:
        return f"windlass.{self.domain}"

    def has(self, host: str) -> bool:
        """Whether a host is the installation's domain, or below it."""
        return host == self.domain or host.endswith(f".{self.domain}")


@dataclass(frozen=True, slots=True)
class Configuration:
    """The file, the mark that it makes a proxy show, and whose routes are not in it as they should be."""

    content: bytes
    mark: str
    refused: Mapping[DeploymentId, str]

    def marked(self, mark: str) -> "Configuration":
        """Return the same with another mark, for a small part of what it costs to make it."""
        content = self.content.replace(_shown(self.mark), _shown(mark), 1)
        return Configuration(content, mark, self.refused)


def configuration(targets: Iterable[Target], site: Site, mark: str) -> Configuration:
    """Return the file: JSON, which YAML contains, with nothing in it that Traefik could take for a template.

    A mark is used for one content only: whoever shows it serves that.

    Raises:
        UnsafeHostError: the installation's own domain is no host name.
    """
    targets = sorted(targets, key=lambda target: target.deployment.hex)
    draft = _Draft(*_own_routes(site))
    owners = _owners(targets, site)
    for target in targets:
        draft.serve(target)
    for target in targets:
        draft.route(target, owners)
    return _written(draft, site, mark)


def mark_in(content: bytes) -> str | None:
    """Return the mark of a file; None where it is none of ours."""
    found = _MARK.search(content)
    return None if found is None else found[1].decode()


def _shown(mark: str) -> bytes:
    return f'"{MARKER_HEADER}": "{mark}"'.encode()


def router_name(deployment: DeploymentId) -> str:
    """Return the name of a deployment's router and service in the proxy."""
    return f"d-{deployment.hex}"


def deployment_of(router: str) -> DeploymentId | None:
    """Return whose router it is; None where it is none of a deployment."""
    found = _ROUTER.fullmatch(router)
    return None if found is None else DeploymentId(UUID(hex=found[1]))


@dataclass(slots=True)
class _Draft:
    """Routers and services, and what was refused on the way."""

    routers: Section
    services: Section
    refused: dict[DeploymentId, str] = field(default_factory=dict)

    def serve(self, target: Target) -> None:
        """Add where the containers of a target answer, as far as that is safe."""
        if target.lost:
            self.refused[target.deployment] = "It ended, or all its containers did, before its routes were confirmed."
        urls = [url for address, port in target.servers for url in self._safe(target, server_url, address, port)]
        self.services[router_name(target.deployment)] = _service(urls, serversTransport=APPS)

    def route(self, target: Target, owners: Mapping[str, DeploymentId | None]) -> None:
        """Add the hosts of a target, as far as they are safe."""
        name = router_name(target.deployment)
        shared = frozenset[str]().union(*(share.hosts for share in target.shares))
        self._route(name, name, target, target.hosts.keys() - shared, owners)
        for share in target.shares:
            router = f"{name}-with-{share.deployment.hex}-{share.percent}"
            self._route(router, self._shared(router, target, share), target, share.hosts, owners)

    def _route(
        self,
        router: str,
        service: str,
        target: Target,
        hosts: Iterable[str],
        owners: Mapping[str, DeploymentId | None],
    ) -> None:
        rules = [rule for host in sorted(hosts) for rule in self._safe(target, _rule, host, target, owners)]
        if rules:
            another = {"middlewares": [ANOTHER]} if self._servers(service) > 1 else {}
            self.routers[router] = _router(" || ".join(rules), service, _APP_PRIORITY) | another

    def _shared(self, name: str, target: Target, share: Share) -> str:
        """Return the service for shared hosts: that of one deployment alone while the other has no servers.

        The proxy would answer with an error in its stead.
        """
        own, other = router_name(target.deployment), router_name(share.deployment)
        if not self._servers(other):
            return own
        if not self._servers(own):
            return other
        parts = [{"name": own, "weight": 100 - share.percent}, {"name": other, "weight": share.percent}]
        self.services[name] = {"weighted": {"services": parts}}
        return name

    def _servers(self, name: str) -> int:
        """Return how many servers a service has, or those together that share its requests."""
        service = self.services.get(name, {})
        if "weighted" in service:
            return sum(self._servers(part["name"]) for part in service["weighted"]["services"])
        return len(service["loadBalancer"]["servers"]) if service else 0

    def _safe(self, target: Target, make: Callable[P, str], *args: P.args, **kwargs: P.kwargs) -> tuple[str, ...]:
        try:
            return (make(*args, **kwargs),)
        except UnsafeHostError as error:
            self.refused[target.deployment] = str(error)
            return ()


def _owners(targets: Iterable[Target], site: Site) -> Mapping[str, DeploymentId | None]:
    """Return whose each host is: the platform's (None), or that of whoever has had it for the longest time."""
    claims = sorted(
        (since, host, target.deployment.hex, target.deployment)
        for target in targets
        for host, since in target.hosts.items()
        if not _is_foreign(host, target, site)
    )
    owners: dict[str, DeploymentId | None] = {site.own_host: None}
    for _, host, _, deployment in claims:
        owners.setdefault(host, deployment)
    return owners


def _is_foreign(host: str, target: Target, site: Site) -> bool:
    """Whether somebody brought what is not theirs: hosts below the installation's domain are made by us alone."""
    return host in target.brought and site.has(host)


def _rule(host: str, target: Target, owners: Mapping[str, DeploymentId | None]) -> str:
    rule = host_rule(host)
    if owners.get(host) != target.deployment:
        raise UnsafeHostError(f"{host} belongs to somebody else.")
    return rule


def _own_routes(site: Site) -> tuple[Section, Section]:
    """Return what is always there: the marker, the dashboard, and an answer for single deployments that are asleep."""
    asleep = rf"^{ASLEEP_OR_UNKNOWN}\.{re.escape(site.domain)}$"
    routers = {
        MARKER: {
            **_router(f"Host({json.dumps(MARKER_HOST)}) && Path({json.dumps(site.marker_path)})", "", _MARKER_PRIORITY),
            "service": "noop@internal",
            "middlewares": [MARKER],
        },
        OWN: _router(host_rule(site.own_host), OWN, _OWN_PRIORITY),
        ASLEEP: _router(f"HostRegexp({json.dumps(asleep)})", ASLEEP, _ASLEEP_PRIORITY),
    }
    return routers, {OWN: _service([server_url("127.0.0.1", site.gateway_port)]), ASLEEP: _service([])}


def _written(draft: _Draft, site: Site, mark: str) -> Configuration:
    header = {"headers": {"customResponseHeaders": {MARKER_HEADER: mark}}}
    ours: dict[str, Section] = {
        "routers": draft.routers,
        "services": draft.services,
        "middlewares": {MARKER: header, ANOTHER: _TRY_ANOTHER},
        "serversTransports": {APPS: _TO_APPS},
    }
    theirs = site.base.get("http", {})
    http = {kind: {**theirs.get(kind, {}), **ours.get(kind, {})} for kind in {*theirs, *ours}}
    content = json.dumps({**site.base, "http": http}, sort_keys=True).replace("{{", r"\u007b\u007b").encode()
    return Configuration(content, mark, draft.refused)


def _router(rule: str, service: str, priority: int) -> dict[str, Any]:
    return {"rule": rule, "priority": priority, "service": service}


def _service(urls: Iterable[str], **options: str) -> dict[str, Any]:
    return {"loadBalancer": {"servers": [{"url": url} for url in urls], **options}}
