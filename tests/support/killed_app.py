"""The app whose platform is killed again and again: what is known of it, how it is asked for something, and waits."""

import http.client
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from support.app_processes import PAUSED, RUNNING, logged_containers, replicas_of
from support.event_follower import EventFollower, Happened
from support.git_server import Repository
from support.kill_verdict import Verdict
from support.platform import Platform
from support.story import ENDS

END_WITHIN_S = 60.0
"""An action that has not ended by then is wedged."""
ACCEPTED = 202
START = "exec python3 server.py"
KEPT_WARM = {"drain_s": 1, "grace_s": 1, "keep_warm_s": 3_600}
_CONFIG = {
    "start_command": START,
    "build_command": "true",
    "replicas": 1,
    "retirement": KEPT_WARM,
    "probe": {"kind": "http", "path": "/"},
    "rollout": None,
}
_BETWEEN_LOOKS_S = 0.05


@dataclass
class KilledApp:
    """`current` is the version that answers, `before` the one that did so before it."""

    platform: Platform
    follower: EventFollower
    repository: Repository
    url: str
    name: str
    versions: dict[str, str] = field(default_factory=dict)
    current: str = ""
    before: str = ""
    acknowledged: list[tuple[int, str]] = field(default_factory=list)
    """What was answered to have been appended: its sequence and its type."""

    @property
    def project(self) -> str:
        return str(next(event["project"] for event in self.follower.events if event["about"] == self.current))

    def requested(self, verdict: Verdict, **config: object) -> str | None:
        """Ask for a deployment of a new version; None where nobody accepted it."""
        version = str(len(self.versions) + 1)
        sha = self.repository.commit({"VERSION": version})
        body = {"git": self.url, "ref": sha, "project": self.name, "config": {**_CONFIG, **config}}
        status, answer = self.asked("POST", "/deployments", body, {"Idempotency-Key": uuid4().hex})
        if status != ACCEPTED:
            verdict.wedged.append(f"deployment not accepted: {status} {answer}")
            return None
        self.versions[answer["deployment"]] = version
        self.acknowledged.append((answer["sequence"], "deployment.requested.v1"))
        return str(answer["deployment"])

    def went_live(self, deployment: str, verdict: Verdict) -> None:
        ended = self.end_of(deployment)
        if ended != "deployment.live.v1":
            verdict.wedged.append(f"deployment {deployment} ended with {ended}")
        else:
            self.took_over(deployment)

    @property
    def replicas(self) -> int:
        """In how many containers what answers is to run."""
        return replicas_of(self.follower.events, self.current)

    def runs(self, replicas: int) -> bool:
        """Wait until what answers runs in so many containers by the log; tell whether it came to that."""
        until = time.monotonic() + END_WITHIN_S
        while time.monotonic() < until:
            seen = self.follower.head
            known = list(logged_containers(self.follower.events, self.project).values())
            if known.count((self.current, RUNNING)) == replicas:
                return True
            self.follower.wait_for(lambda _: True, seen, until - time.monotonic())
        return False

    def took_over(self, deployment: str) -> None:
        self.before, self.current = self.current, deployment

    def end_of(self, deployment: str) -> str | None:
        """Wait for the end of a deployment; return what it is, None where it takes too long."""
        ended = self.follower.wait_for(about(deployment, *ENDS), 0, END_WITHIN_S)
        return None if ended is None else str(ended["type"])

    def applied_behind(self, behind: int) -> Happened | None:
        """Wait until a move of addresses is confirmed; return what the log says about that."""
        moved = self.follower.wait_for(of("aliases.changed.v1", "routes.failed.v1"), behind, END_WITHIN_S)
        if moved is None or moved["type"] == "routes.failed.v1":
            return moved
        return self._end_behind(moved)

    def confirmed_behind(self, changed: Happened) -> bool:
        """Wait until every proxy is known to serve a change of routes, or not to; tell whether they do."""
        end = self._end_behind(changed)
        return end is not None and end["type"] == "routes.applied.v1"

    def _end_behind(self, changed: Happened) -> Happened | None:
        ends = of("routes.applied.v1", "routes.failed.v1")
        return self.follower.wait_for(ends, changed["sequence"], END_WITHIN_S)

    def paused(self, containers: int) -> str | None:
        """Return the version of so many containers that has been paused for the longest time."""
        events = self.follower.events
        if not self.current:
            return None
        known = logged_containers(events, self.project).values()
        waiting = (deployment for deployment, state in known if state == PAUSED)
        return next((one for one in waiting if replicas_of(events, one) == containers), None)

    def asked(self, method: str, path: str, body: object, headers: Mapping[str, str]) -> tuple[int, Any]:
        """Ask until there is an answer that says what became of it, as a client does whose connection broke."""
        until = time.monotonic() + END_WITHIN_S
        while True:
            try:
                status, answer = self.platform.api(method, path, body, headers)
            except (OSError, http.client.HTTPException, ValueError):
                status, answer = 503, "no answer"
            if status < http.client.INTERNAL_SERVER_ERROR or time.monotonic() > until:
                return status, answer
            time.sleep(_BETWEEN_LOOKS_S)


def about(deployment: str, *types: str) -> Callable[[Happened], bool]:
    return lambda event: event["about"] == deployment and event["type"] in types


def of(*types: str) -> Callable[[Happened], bool]:
    return lambda event: event["type"] in types
