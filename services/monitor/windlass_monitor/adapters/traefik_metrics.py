"""Traefik's own counters, in the text format of Prometheus, read on loopback.

One line a service, method and code; of a deployment's service the name says whose it is, and nothing else is looked at.
Traefik forgets what it counted when it is started anew, and what a service counted when that leaves its configuration.
Source: https://doc.traefik.io/traefik/reference/install-configuration/observability/metrics/
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import httpx

from windlass_contracts.ids import DeploymentId
from windlass_monitor.application.traffic import Traffic, TrafficUnknownError
from windlass_monitor.domain.answers import Answers

_PATH = "/metrics"
_WITHIN_S = 2.0
_ITS_OWN = frozenset({b"502", b"504"})
"""What Traefik says itself where it reaches no container, as while the engine is away: no answer of the app."""
_LABELS = rb'\{code="([0-9]{3})",[^}\n]*?service="d-([0-9a-f]{32})@file"[^}\n]*\}'
_COUNTED = re.compile(rb"^traefik_service_requests_total" + _LABELS + rb" ([0-9.e+]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class TraefikMetrics(Traffic):
    """`api` is where Traefik's API is, without a last slash."""

    api: str
    client: httpx.AsyncClient

    async def answers(self) -> Mapping[DeploymentId, Answers]:
        try:
            answer = await self.client.get(f"{self.api}{_PATH}", timeout=_WITHIN_S)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            why = str(error) or type(error).__name__
            raise TrafficUnknownError(f"Traefik does not tell what it counted: {why}") from error
        return counted(answer.content)


def counted(text: bytes) -> Mapping[DeploymentId, Answers]:
    """Return what the counters say of each deployment's own answers.

    Raises:
        TrafficUnknownError: a number is none.
    """
    totals, errors = Counter[bytes](), Counter[bytes]()
    for code, service, value in _COUNTED.findall(text):
        try:
            number = int(float(value))
        except (ValueError, OverflowError) as error:
            raise TrafficUnknownError("Traefik counted what is no number.") from error
        totals[service] += 0 if code in _ITS_OWN else number
        if code >= b"500" and code not in _ITS_OWN:
            errors[service] += number
    return {
        DeploymentId(UUID(hex=service.decode())): Answers(total, errors[service]) for service, total in totals.items()
    }
