"""A proxy in memory: it serves what it was given, unless it is told not to confirm."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from windlass_router.application.proxy import NotConfirmedError, Rendered


@dataclass
class MemoryProxy:
    """Passes the same contract tests as Traefik."""

    down: bool = False
    generations: list[int] = field(default_factory=list)
    served: dict[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        return ("memory",)

    async def apply(self, rendered: Rendered, within: timedelta) -> None:
        if self.down:
            raise NotConfirmedError("memory", rendered.generation, within)
        self.served = json.loads(rendered.content)
        self.generations.append(rendered.generation)

    def servers(self, host: str) -> list[str] | None:
        """Return where requests for a host go; None where nobody answers for it."""
        for router in self.served["http"]["routers"].values():
            if f'Host("{host}")' in router["rule"]:
                service = self.served["http"]["services"][router["service"]]
                return [server["url"] for server in service["loadBalancer"]["servers"]]
        return None
