"""What is done with an app while somebody is killed, and how each act has to end, whoever it was."""

import http.client
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

from support.event_follower import Happened
from support.kill_cases import ENGINE, MACHINE, Action
from support.kill_verdict import Verdict
from support.killed_app import ACCEPTED, END_WITHIN_S, KEPT_WARM, START, KilledApp, about, of
from support.story import ENDS

SEVERAL = 3
SOME, NONE = 25, 0
"""Percent of the requests."""
_BY_STEPS = {"steps": [{"weight": SOME, "for_s": 1}]}
_SLOW_START = f"sleep 2; {START}"
_SLOW_BUILD = "sleep 0.5"
_GONE_AT_ONCE = {**KEPT_WARM, "keep_warm_s": 0}
_FAILS_SOON = {"kind": "http", "path": "/short-lived"}


@dataclass
class KillActs(KilledApp):
    """Deploys, rolls back and so on."""

    def prepare(self, action: Action) -> None:
        """Make that there is what the action needs.

        Raises:
            AssertionError: that did not work.
        """
        verdict = Verdict.of(action)
        wanted = {Action.ROLLBACK: 1, Action.SEVERAL_BACK: SEVERAL, Action.WEIGHING: 1}.get(action)
        if wanted is not None and self.paused(wanted) is None:
            self._deploy(verdict, replicas=wanted)
            self._deploy(verdict)
            self.follower.wait_for(about(self.before, "container.paused.v1"), 0, END_WITHIN_S)
        if action is Action.RETIREMENT:
            self._deploy(verdict, retirement=_GONE_AT_ONCE)
        if action is Action.SCALING and self.replicas != 1:
            self._deploy(verdict)
        assert not verdict.wrong, verdict.wrong

    def act(self, action: Action, verdict: Verdict) -> None:
        """Do it, and wait for the end; what is wrong with that is noted in the verdict."""
        acts: Mapping[Action, Callable[[Verdict], None]] = {
            Action.DEPLOYMENT: self._deploy,
            Action.SEVERAL: partial(self._deploy, replicas=SEVERAL),
            Action.ROLLBACK: partial(self._roll_back, containers=1),
            Action.SEVERAL_BACK: partial(self._roll_back, containers=SEVERAL),
            Action.SUPERSEDING: self._supersede,
            Action.CANCEL: self._cancel,
            Action.RETIREMENT: self._retire,
            Action.DOMAIN: self._come_and_go,
            Action.RESTORING: self._be_taken_back,
            Action.SCALING: self._scale,
            Action.RESTART: self._restart,
            Action.ROLLOUT: self._roll_out,
            Action.WEIGHING: self._weigh,
        }
        acts[action](verdict)

    def _deploy(self, verdict: Verdict, **config: object) -> None:
        asked = self.requested(verdict, **config)
        if asked is not None:
            self.went_live(asked, verdict)

    def _supersede(self, verdict: Verdict) -> None:
        """Ask twice. The first one ends for the second's sake, or it was live before that one could be asked for."""
        first = self.requested(verdict, build_command=_SLOW_BUILD)
        second = None if first is None else self.requested(verdict)
        if first is None or second is None:
            return
        ended = self.end_of(first)
        if ended == "deployment.live.v1":
            self.took_over(first)
        elif ended != "deployment.superseded.v1":
            verdict.wedged.append(f"superseded deployment {first} ended with {ended}")
        self.went_live(second, verdict)

    def _cancel(self, verdict: Verdict) -> None:
        """Cancel what is not healthy yet. If it can be asked for too late only, that has to be the answer."""
        deployment = self.requested(verdict, start_command=_SLOW_START)
        if deployment is None:
            return
        self.follower.wait_for(about(deployment, "container.started.v1", *ENDS), 0, END_WITHIN_S)
        status, answer = self.asked("POST", f"/deployments/{deployment}/cancel", {}, {})
        ended = self.end_of(deployment)
        if ended == "deployment.live.v1" and status == http.client.CONFLICT:
            self.took_over(deployment)
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

    def _be_taken_back(self, verdict: Verdict) -> None:
        """Deploy what answers visitors, but soon fails its probe: the version before has its place again."""
        behind, deployment = self.follower.head, self._live_at_first(verdict, probe=_FAILS_SOON)
        if deployment is None:
            return
        back = self.follower.wait_for(_moves("restore"), behind, END_WITHIN_S)
        if back is None or not self.confirmed_behind(back):
            verdict.wedged.append(f"{deployment} was not taken back: {back}")
        self.before = deployment

    def _scale(self, verdict: Verdict) -> None:
        """Let what answers run in three containers, and then in one again."""
        for replicas in (SEVERAL, 1):
            status, answer = self.asked("POST", f"/projects/{self.name}/scale", {"replicas": replicas}, {})
            if status != ACCEPTED:
                verdict.wedged.append(f"scaling to {replicas}: {status} {answer}")
            elif not self.runs(replicas):
                verdict.wedged.append(f"{self.current} does not run in {replicas} containers")

    def _restart(self, verdict: Verdict) -> None:
        """Give what answers fresh containers. Who asks twice, as he got no answer, has the second restart done."""
        behind = self.follower.head
        status, answer = self.asked("POST", f"/projects/{self.name}/restart", {}, {})
        done = self.follower.wait_for(about(self.current, "restart.succeeded.v1"), behind, END_WITHIN_S)
        if status != ACCEPTED or done is None:
            verdict.wedged.append(f"restart of {self.current}: {status} {answer}, and it ended with {done}")

    def _roll_out(self, verdict: Verdict) -> None:
        """Deploy what gets a part of the requests first, and then all; none if its containers went down meanwhile."""
        behind, deployment = self.follower.head, self._live_at_first(verdict, rollout=_BY_STEPS)
        if deployment is None:
            return
        ends = (_moves("rollout"), _weighs(deployment, NONE))
        ended = self.follower.wait_for(lambda event: any(end(event) for end in ends), behind, END_WITHIN_S)
        if ended is None or not self.confirmed_behind(ended):
            verdict.wedged.append(f"the rollout of {deployment} ended with {ended}")
        elif ended["type"] == "aliases.changed.v1":
            self.took_over(deployment)
        elif ended["data"]["why"] == "lost" and verdict.case.victim in (ENGINE, MACHINE):
            self.before = deployment
        else:
            verdict.wedged.append(f"{deployment} lost its weight: {ended}")

    def _live_at_first(self, verdict: Verdict, **config: object) -> str | None:
        """Deploy what something more will happen to; None where it does not even come to be live."""
        deployment = self.requested(verdict, **config)
        if deployment is None or (ended := self.end_of(deployment)) == "deployment.live.v1":
            return deployment
        verdict.wedged.append(f"deployment {deployment} ended with {ended}")
        return None

    def _weigh(self, verdict: Verdict) -> None:
        """Give a part of the requests to what is paused, and take that away again."""
        behind, candidate = self.follower.head, self.paused(1)
        weight, stop = f"/deployments/{candidate}/weight", f"/projects/{self.name}/environments/production/rollout/stop"
        for path, body, expected in ((weight, {"weight": SOME}, SOME), (stop, {}, NONE)):
            status, answer = self.asked("POST", path, body, {})
            changed = self.follower.wait_for(_weighs(candidate, expected), behind, END_WITHIN_S)
            if changed is None or not self.confirmed_behind(changed):
                verdict.wedged.append(f"{path}: {status} {answer}, and then {changed}")
                return
            behind = changed["sequence"]
        if self.follower.wait_for(about(str(candidate), "container.paused.v1"), behind, END_WITHIN_S) is None:
            verdict.orphans.append(f"{candidate} was not paused again")

    def _come_and_go(self, verdict: Verdict) -> None:
        """Let a host answer, and take it away again."""
        host = f"{uuid4().hex[:12]}.example"
        path, behind = f"/projects/{self.name}/domains/{host}", self.follower.head
        for method, body, expected in (("PUT", {"environment": "production"}, 200), ("DELETE", None, 404)):
            status, answer = self.asked(method, path, body, {})
            again = method == "DELETE" and status == http.client.NOT_FOUND
            applied = self.applied_behind(behind)
            if (status >= http.client.BAD_REQUEST and not again) or applied is None:
                verdict.wedged.append(f"{method} of {host}: {status} {answer}, routes {applied}")
                return
            behind = applied["sequence"]
            if (found := self.platform.get(host, whole=True)[0]) != expected:
                verdict.wedged.append(f"{host} answers {found} after its {method}")

    def _roll_back(self, verdict: Verdict, containers: int) -> None:
        behind, wanted = self.follower.head, self.paused(containers)
        status, answer = self.asked("POST", f"/projects/{self.name}/rollback", {"to": wanted}, {})
        if status == ACCEPTED:
            self.acknowledged.append((answer["sequence"], "rollback.requested.v1"))
        elif self.follower.wait_for(of("rollback.requested.v1"), behind, END_WITHIN_S) is None:
            verdict.wedged.append(f"rollback refused: {status} {answer}")
            return
        applied = self.applied_behind(behind)
        if wanted is None or applied is None or applied["type"] != "routes.applied.v1":
            verdict.wedged.append(f"rollback to {wanted} ended with {applied}")
        else:
            self.took_over(wanted)


def _moves(why: str) -> Callable[[Happened], bool]:
    return lambda event: bool(event["type"] == "aliases.changed.v1" and event["data"]["why"] == why)


def _weighs(deployment: str | None, weight: int) -> Callable[[Happened], bool]:
    return lambda event: (
        event["type"] == "weight.changed.v1"
        and (event["data"]["deployment"], event["data"]["weight"]) == (deployment, weight)
    )
