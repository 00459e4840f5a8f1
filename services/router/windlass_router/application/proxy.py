"""The port to what answers on the network: it takes a whole configuration, and says once it serves it.

ProxyError
├── NotWrittenError     the configuration could not be handed over
├── NotConfirmedError   the proxies did not say in time that they serve the configuration
└── RouteRefusedError   the proxies serve the configuration, but without a part of it
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol


class ProxyError(Exception):
    """The proxies do not serve what was decided."""


class NotWrittenError(ProxyError):
    """The configuration could not be handed over."""


class NotConfirmedError(ProxyError):
    """The proxies did not say in time that they serve the configuration."""

    def __init__(self, proxy: str, within: timedelta) -> None:
        super().__init__(
            f"The proxy on {proxy} did not confirm the new routes within {within.total_seconds():g} s; "
            f"`windlass doctor` says whether it runs, and its log why it refuses them."
        )
        self.proxy = proxy


class RouteRefusedError(ProxyError):
    """The proxies serve the configuration, but without a part of it."""

    def __init__(self, why: str) -> None:
        super().__init__(f"The proxy refused the new route: {why}")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A configuration, and the mark that a proxy shows while it serves exactly this."""

    content: bytes
    mark: str


class Proxy(Protocol):
    """One or more proxies that serve the same configuration."""

    @property
    def names(self) -> tuple[str, ...]:
        """The nodes they are on."""
        ...

    async def handed_over(self) -> bytes | None:
        """Return the configuration that they were given last, as far as it is still there.

        Raises:
            NotWrittenError: it is there, and cannot be read.
        """
        ...

    async def serving(self, mark: str, within: timedelta) -> Mapping[str, str]:
        """Return once every proxy serves the configuration with this mark: the routers that some disabled, and why.

        Raises:
            NotConfirmedError: they do not, or not in time.
        """
        ...

    async def apply(self, rendered: Rendered, within: timedelta) -> Mapping[str, str]:
        """Hand the configuration over unless they have it, and return once every proxy serves it.

        Returns the routers that some proxy disabled, by name, and why; all others serve.

        Raises:
            NotWrittenError: it could not be handed over; they serve what they did.
            NotConfirmedError: it took longer; it may be served later, or never.
        """
        ...
