"""What is done with an app while somebody is killed, and how each act has to end, whoever it was."""

import http.client
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from support.app_processes import PAUSED, logged_containers, replicas_of
from support.event_follower import EventFollower, Happened
from support.git_server import Repository
from support.kill_cases import Action
from support.kill_verdict import Verdict
from support.platform import Platform
from support.story import ENDS

END_WITHIN_S = 60.0
"""An action that has not ended by then is wedged."""
SEVERAL = 3
_BETWEEN_LOOKS_S = 0.05
_ACCEPTED = 202
_START = "exec python3 server.py"
_SLOW_START = f"sleep 2; {_START}"
_SLOW_BUILD = "sleep 0.5"
_KEPT_WARM = {"drain_s": 1, "grace_s": 1, "keep_warm_s": 3_600}
_GONE_AT_ONCE = {**_KEPT_WARM, "keep_warm_s": 0}


@dataclass
class KillActs:
    """Deploys, rolls back and so on; `current` is what answers, `before` what did so before it."""

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

    def prepare(self, action: Action) -> None:
        """Make that there is what the action needs.

        Raises:
            AssertionError: that did not work.
        """
        verdict = Verdict.of(action)
        wanted = {Action.ROLLBACK: 1, Action.SEVERAL_BACK: SEVERAL}.get(action)
        if wanted is not None and self._paused(wanted) is None:
            self._deploy(verdict, replicas=wanted)
            self._deploy(verdict)
            self.follower.wait_for(about(self.before, "container.paused.v1"), 0, END_WITHIN_S)
        if action is Action.RETIREMENT:
            self._deploy(verdict, retirement=_GONE_AT_ONCE)
        assert not verdict.wrong, verdict.wrong

    def act(self, action: Action, verdict: Verdict) -> None:
        """Do it, and wait for the end; what is wrong with that is noted in the verdict."""
        match action:
            case Action.DEPLOYMENT:
                self._deploy(verdict)
            case Action.SEVERAL:
                self._deploy(verdict, replicas=SEVERAL)
            case Action.ROLLBACK:
                self._roll_back(verdict, 1)
            case Action.SEVERAL_BACK:
                self._roll_back(verdict, SEVERAL)
            case Action.SUPERSEDING:
                self._supersede(verdict)
            case Action.CANCEL:
                self._cancel(verdict)
            case Action.RETIREMENT:
                self._retire(verdict)
            case Action.DOMAIN:
                self._come_and_go(verdict)

    @property
    def project(self) -> str:
        return str(next(event["project"] for event in self.follower.events if event["about"] == self.current))

    def _deploy(self, verdict: Verdict, **config: object) -> None:
        asked = self._requested(verdict, **config)
        if asked is not None:
            self._went_live(asked, verdict)

    def _requested(self, verdict: Verdict, **config: object) -> str | None:
        """Ask for a deployment of a new version; None where nobody accepted it."""
        version = str(len(self.versions) + 1)
        sha = self.repository.commit({"VERSION": version})
        settings = {"start_command": _START, "build_command": "true", "replicas": 1, "retirement": _KEPT_WARM, **config}
        body = {"git": self.url, "ref": sha, "project": self.name, "config": settings}
        status, answer = self._asked("POST", "/deployments", body, {"Idempotency-Key": uuid4().hex})
        if status != _ACCEPTED:
            verdict.wedged.append(f"deployment not accepted: {status} {answer}")
            return None
        self.versions[answer["deployment"]] = version
        self.acknowledged.append((answer["sequence"], "deployment.requested.v1"))
        return str(answer["deployment"])

    def _went_live(self, deployment: str, verdict: Verdict) -> None:
        ended = self._end_of(deployment)
        if ended != "deployment.live.v1":
            verdict.wedged.append(f"deployment {deployment} ended with {ended}")
        else:
            self._took_over(deployment)

    def _took_over(self, deployment: str) -> None:
        self.before, self.current = self.current, deployment

    def _end_of(self, deployment: str) -> str | None:
        """Wait for the end of a deployment; return what it is, None where it takes too long."""
        ended = self.follower.wait_for(about(deployment, *ENDS), 0, END_WITHIN_S)
        return None if ended is None else str(ended["type"])

    def _supersede(self, verdict: Verdict) -> None:
        """Ask twice. The first one ends for the second's sake, or it was live before that one could be asked for."""
        first = self._requested(verdict, build_command=_SLOW_BUILD)
        second = None if first is None else self._requested(verdict)
        if first is None or second is None:
            return
        ended = self._end_of(first)
        if ended == "deployment.live.v1":
            self._took_over(first)
        elif ended != "deployment.superseded.v1":
            verdict.wedged.append(f"superseded deployment {first} ended with {ended}")
        self._went_live(second, verdict)

    def _cancel(self, verdict: Verdict) -> None:
        """Cancel what is not healthy yet. If it can be asked for too late only, that has to be the answer."""
        deployment = self._requested(verdict, start_command=_SLOW_START)
        if deployment is None:
            return
        self.follower.wait_for(about(deployment, "container.started.v1", *ENDS), 0, END_WITHIN_S)
        status, answer = self._asked("POST", f"/deployments/{deployment}/cancel", {}, {})
        ended = self._end_of(deployment)
        if ended == "deployment.live.v1" and status == http.client.CONFLICT:
            self._took_over(deployment)
        elif ended != "deployment.canceled.v1":
            verdict.wedged.append(f"cancel of {deployment}: {status} {answer}, and it ended with {ended}")
        elif status == http.client.OK:
            self.acknowledged.append((answer["sequence"], "deployment.canceled.v1"))

    def _retire(self, verdict: Verdict) -> None:
        """Replace what is not kept warm, and wait until it is gone."""
        replaced, behind = self.current, self.follower.head
        self._deploy(verdict)
        if self.follower.wait_for(about(replaced, "container.stopped.v1"), behind, END_WITHIN_S) is None:
            verdict.wedged.append(f"{replaced} was not stopped")

    def _come_and_go(self, verdict: Verdict) -> None:
        """Let a host answer, and take it away again."""
        host = f"{uuid4().hex[:12]}.example"
        path, behind = f"/projects/{self.name}/domains/{host}", self.follower.head
        for method, body, expected in (("PUT", {"environment": "production"}, 200), ("DELETE", None, 404)):
            status, answer = self._asked(method, path, body, {})
            again = method == "DELETE" and status == http.client.NOT_FOUND
            applied = self._applied_behind(behind)
            if (status >= http.client.BAD_REQUEST and not again) or applied is None:
                verdict.wedged.append(f"{method} of {host}: {status} {answer}, routes {applied}")
                return
            behind = applied["sequence"]
            if (found := self.platform.get(host, whole=True)[0]) != expected:
                verdict.wedged.append(f"{host} answers {found} after its {method}")

    def _roll_back(self, verdict: Verdict, containers: int) -> None:
        behind, wanted = self.follower.head, self._paused(containers)
        status, answer = self._asked("POST", f"/projects/{self.name}/rollback", {"to": wanted}, {})
        if status == _ACCEPTED:
            self.acknowledged.append((answer["sequence"], "rollback.requested.v1"))
        elif self.follower.wait_for(of("rollback.requested.v1"), behind, END_WITHIN_S) is None:
            verdict.wedged.append(f"rollback refused: {status} {answer}")
            return
        applied = self._applied_behind(behind)
        if wanted is None or applied is None or applied["type"] != "routes.applied.v1":
            verdict.wedged.append(f"rollback to {wanted} ended with {applied}")
        else:
            self._took_over(wanted)

    def _applied_behind(self, behind: int) -> Happened | None:
        """Wait until a move of addresses is confirmed; return what the log says about that."""
        moved = self.follower.wait_for(of("aliases.changed.v1", "routes.failed.v1"), behind, END_WITHIN_S)
        if moved is None or moved["type"] == "routes.failed.v1":
            return moved
        return self.follower.wait_for(of("routes.applied.v1", "routes.failed.v1"), moved["sequence"], END_WITHIN_S)

    def _paused(self, containers: int) -> str | None:
        """Return the version of so many containers that has been paused for the longest time."""
        events = self.follower.events
        if not self.current:
            return None
        known = logged_containers(events, self.project).values()
        waiting = (deployment for deployment, state in known if state == PAUSED)
        return next((one for one in waiting if replicas_of(events, one) == containers), None)

    def _asked(self, method: str, path: str, body: object, headers: Mapping[str, str]) -> tuple[int, Any]:
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
