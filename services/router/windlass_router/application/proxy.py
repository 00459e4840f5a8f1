"""The port to what answers on the network: it takes a whole configuration, and says once it serves it.

ProxyError
├── NotConfirmedError   the proxy did not say in time that it serves the configuration
└── RouteRefusedError   the proxy serves the configuration, but disabled a part of it
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol


class ProxyError(Exception):
    """The proxy does not serve what it was given."""


class NotConfirmedError(ProxyError):
    """The proxy did not say in time that it serves the configuration."""

    def __init__(self, proxy: str, generation: int, within: timedelta) -> None:
        super().__init__(
            f"The proxy on {proxy} did not confirm generation {generation} of the routes within "
            f"{within.total_seconds():g} s; look at its log, `windlass doctor` says whether it runs."
        )


class RouteRefusedError(ProxyError):
    """The proxy serves the configuration, but disabled a part of it."""

    def __init__(self, router: str, why: str) -> None:
        super().__init__(f"The proxy disabled the route {router}: {why}")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A configuration, the generation that its marker tells, and the routers that must be enabled in it."""

    content: bytes
    generation: int
    routers: Collection[str]


class Proxy(Protocol):
    """One or more proxies that serve the same configuration."""

    @property
    def names(self) -> tuple[str, ...]:
        """The nodes they are on."""
        ...

    async def apply(self, rendered: Rendered, within: timedelta) -> None:
        """Hand the configuration over, and return once every proxy serves it.

        Raises:
            NotConfirmedError: it took longer; it may be served later, or never.
            RouteRefusedError: a router is disabled.
        """
        ...
