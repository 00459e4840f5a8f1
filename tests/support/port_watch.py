"""Whether an app could answer, asked of its containers directly: where it could not, no proxy is to blame."""

import http.client
import threading
import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from support.app_processes import RUNNING, logged_containers
from support.event_follower import EventFollower, Happened
from support.platform import Platform

_BETWEEN_LOOKS_S = 0.05
_PATIENCE_S = 0.5
_MARGIN_S = 0.3
"""So far around a request an answer that was asked for directly is looked for."""
_ROUTED_WITHIN_S = 1.0
"""So long after a decision the routes follow at the latest, where nobody was killed."""


@dataclass(frozen=True)
class Look:
    """One container was asked, and answered well or not; times are seconds since 1970."""

    began: float
    ended: float
    good: bool


@dataclass
class PortWatch:
    """Asks all containers of a project that run by the log, again and again."""

    platform: Platform
    follower: EventFollower
    name: str
    _looks: defaultdict[str, list[Look]] = field(default_factory=lambda: defaultdict(list))
    _ending: bool = False

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch for the time of the block."""
        thread = threading.Thread(target=self._watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ending = True
            thread.join()

    def could_answer(self, began: float, ended: float) -> bool:
        """Tell whether whatever had the address in that time answered all the while, when it was asked directly."""
        routed = self._routed(began, ended)
        return bool(routed) and all(self._answered(deployment, began, ended) for deployment in routed)

    def _routed(self, began: float, ended: float) -> set[str]:
        """Return what had the project's address in that time, and what gave it up or got it shortly before or after."""
        before: str | None = None
        around: set[str | None] = set()
        for at, move in self._moves():
            if at < began - _ROUTED_WITHIN_S:
                before = move["after"]
            elif at < ended + _MARGIN_S:
                around |= {move["before"], move["after"]}
        return {deployment for deployment in (before, *around) if deployment is not None}

    def _moves(self) -> Iterator[tuple[float, Happened]]:
        for event in self.follower.events:
            for move in event["data"]["moves"] if event["type"] == "aliases.changed.v1" else ():
                if (move["alias"]["kind"], move["alias"]["name"]) == ("environment", self.name):
                    yield datetime.fromisoformat(event["time"]).timestamp(), move

    def _answered(self, deployment: str, began: float, ended: float) -> bool:
        looks = sorted(self._looks[deployment], key=lambda look: look.began)
        starts = [look.began for look in looks]
        near = looks[bisect_right(starts, began - _MARGIN_S) : bisect_right(starts, ended + _MARGIN_S)]
        around = any(look.ended <= began for look in near) and any(look.began >= ended for look in near)
        return around and all(look.good for look in near)

    def _watch(self) -> None:
        known = 0
        running: Sequence[tuple[str, str]] = ()
        while not self._ending:
            if known != self.follower.head:
                known, running = self.follower.head, self._running()
            for deployment, address in running:
                began = time.time()
                good = self._asked(address)
                self._looks[deployment].append(Look(began, time.time(), good))
            time.sleep(_BETWEEN_LOOKS_S)

    def _running(self) -> Sequence[tuple[str, str]]:
        """Return the deployment and the address of each container that runs."""
        events = self.follower.events
        projects = {event["project"] for event in events if event["type"] == "deployment.requested.v1"}
        places = {
            event["data"]["container"]: f"{event['data']['address']}:{event['data']['port']}"
            for event in events
            if event["type"] == "container.started.v1"
        }
        there = [one for project in projects for one in logged_containers(events, project).items()]
        return [(deployment, places[container]) for container, (deployment, state) in there if state == RUNNING]

    def _asked(self, address: str) -> bool:
        try:
            connection = self.platform.connected(address, _PATIENCE_S)
        except OSError:
            return False
        try:
            connection.request("GET", "/")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
