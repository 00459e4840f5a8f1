"""The port to what counts the answers that visitors get."""

from collections.abc import Mapping
from typing import Protocol

from windlass_contracts.ids import DeploymentId
from windlass_monitor.domain.answers import Answers


class TrafficUnknownError(Exception):
    """The counters cannot be read now."""


class Traffic(Protocol):
    """Counts the answers of each deployment, in the proxy and not in the way of requests."""

    async def answers(self) -> Mapping[DeploymentId, Answers]:
        """Return the counters of the deployments that answered something since the proxy started.

        Raises:
            TrafficUnknownError: it does not tell them now.
        """
        ...


class NoTraffic(Traffic):
    """Nobody counts: what fails is seen by its containers alone."""

    async def answers(self) -> Mapping[DeploymentId, Answers]:
        return {}
