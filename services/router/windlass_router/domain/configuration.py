"""The proxy's whole dynamic configuration, made from what the router has decided; nothing of it is anybody's text.

Every host and address is checked again here, so that nothing that is no plain host name or address is ever written.
Source of the format: https://doc.traefik.io/traefik/reference/routing-configuration/
"""

import ipaddress
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from windlass_contracts.ids import DeploymentId

MARKER_HOST = "_gen.invalid"
MARKER_HEADER = "X-Gen"
_HOST = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+")
_LONGEST_HOST = 253
_APP, _OWN, _MARKER = 100, 1_000, 10_000


class UnsafeRouteError(Exception):
    """A host or address is none: the configuration is refused as a whole, and the last good one goes on."""


@dataclass(frozen=True, slots=True)
class Target:
    """A deployment, the hosts that it answers at, and where its containers are; none means that it is asleep."""

    deployment: DeploymentId
    hosts: tuple[str, ...]
    servers: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class OwnHost:
    """Where the platform itself answers, and the port of its gateway on loopback."""

    host: str
    gateway_port: int


@dataclass(frozen=True, slots=True)
class Marker:
    """The secret path at which the proxy tells the generation that it serves."""

    path: str
    generation: int


def configuration(targets: Iterable[Target], own: OwnHost, marker: Marker) -> bytes:
    """Return the file: JSON, which YAML contains, with nothing in it that Traefik could take for a template.

    Raises:
        UnsafeRouteError: a host or address is none, or a host would belong to two deployments.
    """
    routers: dict[str, Any] = {
        "windlass-generation": {
            "rule": f"Host({json.dumps(MARKER_HOST)}) && Path({json.dumps(marker.path)})",
            "priority": _MARKER,
            "service": "noop@internal",
            "middlewares": ["windlass-generation"],
        },
        "windlass-own": _router([own.host], "windlass-own", _OWN),
    }
    services: dict[str, Any] = {"windlass-own": _service([("127.0.0.1", own.gateway_port)])}
    taken = {own.host}
    for target in targets:
        _check_hosts(target.hosts, taken)
        name = router_name(target.deployment)
        routers[name] = _router(target.hosts, name, _APP)
        services[name] = _service(target.servers)
    header = {"headers": {"customResponseHeaders": {MARKER_HEADER: str(marker.generation)}}}
    document = {"http": {"routers": routers, "services": services, "middlewares": {"windlass-generation": header}}}
    return json.dumps(document, indent=1, sort_keys=True).replace("{{", r"\u007b\u007b").encode()


def router_name(deployment: DeploymentId) -> str:
    """Return the name of a deployment's router and service in the proxy."""
    return f"d-{deployment.hex}"


def _check_hosts(hosts: Sequence[str], taken: set[str]) -> None:
    for host in hosts:
        if len(host) > _LONGEST_HOST or not _HOST.fullmatch(host):
            raise UnsafeRouteError(f"{host[:300]!r} is no host name.")
        if host in taken:
            raise UnsafeRouteError(f"{host} would belong to two at once.")
        taken.add(host)


def _router(hosts: Sequence[str], service: str, priority: int) -> dict[str, Any]:
    rule = " || ".join(f"Host({json.dumps(host)})" for host in hosts)
    return {"rule": rule, "priority": priority, "service": service}


def _service(servers: Iterable[tuple[str, int]]) -> dict[str, Any]:
    return {"loadBalancer": {"servers": [{"url": _url(address, port)} for address, port in servers]}}


def _url(address: str, port: int) -> str:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError as error:
        raise UnsafeRouteError(f"{address[:100]!r} is no address of a container.") from error
    host = f"[{ip}]" if ip.version == 6 else str(ip)  # noqa: PLR2004 - the version of the protocol
    return f"http://{host}:{port}"
