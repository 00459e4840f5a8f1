"""One installation that lives through kills: a project whose versions are numbered, under the eyes of visitors."""

import asyncio
import http.client
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from support.app_processes import actual_states, logged_states, wanted_states
from support.event_follower import EventFollower, Happened
from support.failpoint_folder import FailpointFolder
from support.git_server import Repository, make_repository, smart_http
from support.kill_cases import SERVERS, Action, KillCase
from support.kill_verdict import Verdict
from support.platform import Platform
from support.ports import free_port
from support.story import ENDS
from support.verifier import Verifier
from support.visitors import Visitors
from windlass.up.backoff import HEALTHY_SECONDS
from windlass_builder.adapters.processes.runtime import ProcessRuntime
from windlass_eventlog.failpoints import Armed, Reached

APP = Path(__file__).with_name("streaming_app.py")
END_WITHIN_S = 60.0
"""An action that has not ended by then is wedged."""
SETTLED_WITHIN_S = 45.0
"""What follows the end (the version before is paused) has to be done by then."""
_KILLED_WITHIN_S = 5.0
_BETWEEN_LOOKS_S = 0.05
_CONFIG = {
    "start_command": "exec python3 server.py",
    "retirement": {"drain_s": 1, "grace_s": 1, "keep_warm_s": 3_600},
}


@dataclass
class KillRun:
    """Deploys and rolls back, and kills meanwhile; `current` is what answers, `before` what did so before it."""

    platform: Platform
    folder: FailpointFolder
    follower: EventFollower
    visitors: Visitors
    verifier: Verifier
    repository: Repository
    url: str
    name: str
    versions: dict[str, str] = field(default_factory=dict)
    current: str = ""
    before: str = ""
    _acknowledged: list[tuple[int, str]] = field(default_factory=list)
    _back_at: dict[str, float] = field(default_factory=dict)

    def undisturbed(self, action: Action) -> tuple[Sequence[Reached], float]:
        """Return the points that an action comes to when nobody is killed, and the seconds that it takes."""
        passed = len(self.folder.reached())
        began = time.time()
        verdict = Verdict(KillCase(action, "", "", ""))
        self._act(action, verdict)
        took = time.time() - began
        self._settle(verdict)
        assert not verdict.wrong, verdict.wrong
        return [one for one in self.folder.reached(passed) if one.service], took

    def run(self, case: KillCase) -> Verdict:
        """Act, kill, and look at what became of it. What follows the end is waited for if the kill belongs there."""
        self._leave_in_peace(case.victim)
        verdict, began = Verdict(case), time.time()
        armed = Armed(case.service, case.point, uuid4().hex, self._process(case))
        self.folder.arm(armed)
        try:
            self._act(case.action, verdict)
            verdict.took_s = time.time() - began
            if self.folder.killed_at(armed, 0) is None:
                self._settle(verdict)
            killed_at = self.folder.killed_at(armed, _KILLED_WITHIN_S)
        finally:
            self.folder.disarm()
        noticed_at = began if killed_at is None else self._wait_until_back(verdict, killed_at)
        self._look_at_answer(verdict)
        verdict.judge(self.visitors.failures_since(began), began, killed_at or began, noticed_at)
        return verdict

    def lost(self) -> Sequence[str]:
        """Return what was acknowledged, to a service or to us, and is not in the log as it is read anew now."""
        known = {event["sequence"]: event for event in self.platform.events()}
        acknowledged = [*self._acknowledged]
        for one in self.folder.reached():
            moment, _, kind = one.point.partition(":")
            if moment == "after_append" and one.sequence is not None:
                acknowledged.append((one.sequence, kind))
        lost = [f"{kind} at {at}" for at, kind in acknowledged if known.get(at, {}).get("type") != kind]
        told = self.follower.events[: len(known)]
        return lost + [f"{event['type']} at {event['sequence']}" for event in told if known[event["sequence"]] != event]

    def look_closely(self, verdict: Verdict) -> None:
        """Wait until only what answers runs, look for what else does, and let the installation check itself."""
        began = time.monotonic()
        self._settle(verdict)
        self._look_for_orphans(verdict)
        verdict.rested_s = time.monotonic() - began
        said = self.verifier.verify()
        verdict.verified_s = time.monotonic() - began - verdict.rested_s
        if not said["clean"]:
            verdict.verify_failures.append(f"windlass verify: {json.dumps(said)}")

    @property
    def _project(self) -> str:
        return str(next(event["project"] for event in self.follower.events if event["about"] == self.current))

    def _process(self, case: KillCase) -> int | None:
        return self.platform.up.descendant(SERVERS[case.victim]).pid if case.victim in SERVERS else None

    def _leave_in_peace(self, victim: str) -> None:
        """Let who was killed run for so long that it is started again at once: each soon death is waited for longer."""
        time.sleep(max(0.0, self._back_at.get(victim, 0.0) + HEALTHY_SECONDS - time.time()))

    def _wait_until_back(self, verdict: Verdict, killed_at: float) -> float:
        """Wait until the victim runs again; return when its supervisor saw that it was dead."""
        up, verdict.killed = self.platform.up, True
        up.wait_for(f"{verdict.case.victim} was ended by SIGKILL")
        noticed_at = up.said_at
        up.wait_for(f"{verdict.case.victim} runs again")
        self._back_at[verdict.case.victim] = up.said_at
        verdict.back_s = up.said_at - killed_at
        return noticed_at

    def _act(self, action: Action, verdict: Verdict) -> None:
        match action:
            case Action.DEPLOYMENT:
                self._deploy(verdict)
            case Action.ROLLBACK:
                self._roll_back(verdict)

    def _deploy(self, verdict: Verdict) -> None:
        version, before = str(len(self.versions) + 1), self.follower.head
        sha = self.repository.commit({"VERSION": version})
        body = {"git": self.url, "ref": sha, "project": self.name, "config": _CONFIG}
        status, answer = self._asked("/deployments", body, {"Idempotency-Key": uuid4().hex})
        if status != 202:
            verdict.wedged.append(f"deployment not accepted: {status} {answer}")
            return
        deployment = answer["deployment"]
        self.versions[deployment] = version
        self._acknowledged.append((answer["sequence"], "deployment.requested.v1"))
        ended = self.follower.wait_for(_about(deployment, *ENDS), before, END_WITHIN_S)
        if ended is None or ended["type"] != "deployment.live.v1":
            verdict.wedged.append(f"deployment {deployment} ended with {ended}")
        else:
            self.before, self.current = self.current, deployment

    def _roll_back(self, verdict: Verdict) -> None:
        before, wanted = self.follower.head, self._paused()
        status, answer = self._asked(f"/projects/{self.name}/rollback", {"to": wanted}, {})
        if status == 202:
            self._acknowledged.append((answer["sequence"], "rollback.requested.v1"))
        elif self.follower.wait_for(_of("rollback.requested.v1"), before, END_WITHIN_S) is None:
            verdict.wedged.append(f"rollback refused: {status} {answer}")
            return
        moved = self.follower.wait_for(_of("aliases.changed.v1"), before, END_WITHIN_S)
        after = before if moved is None else moved["sequence"]
        applied = self.follower.wait_for(_of("routes.applied.v1", "routes.failed.v1"), after, END_WITHIN_S)
        if applied is None or applied["type"] != "routes.applied.v1":
            verdict.wedged.append(f"rollback to {wanted} ended with {applied}")
        else:
            self.before, self.current = self.current, wanted

    def _paused(self) -> str:
        """Return the version that has been paused for the longest time."""
        states = logged_states(self.follower.events, self._project)
        return next(deployment for deployment, state in states.items() if state == "paused")

    def _asked(self, path: str, body: object, headers: Mapping[str, str]) -> tuple[int, Any]:
        """Ask until there is an answer that says what became of it, as a client does whose connection broke."""
        until = time.monotonic() + END_WITHIN_S
        while True:
            try:
                status, answer = self.platform.api("POST", path, body, headers)
            except (OSError, http.client.HTTPException, ValueError):
                status, answer = 503, "no answer"
            if status < 500 or time.monotonic() > until:
                return status, answer
            time.sleep(_BETWEEN_LOOKS_S)

    def _settle(self, verdict: Verdict) -> None:
        """Wait until the version before is paused, which is the last that an action leads to."""
        if self.before:
            moved = max(event["sequence"] for event in self.follower.events if event["type"] == "routes.applied.v1")
            paused = _about(self.before, "container.paused.v1", "container.stopped.v1")
            if self.follower.wait_for(paused, moved, SETTLED_WITHIN_S) is None:
                verdict.orphans.append(f"{self.before} was not paused within {SETTLED_WITHIN_S:.0f} s")

    def _look_at_answer(self, verdict: Verdict) -> None:
        status, body = self.platform.get(self.name)
        if (status, body.decode()) != (200, self.versions[self.current]):
            verdict.wedged.append(f"answers {status} {body.decode()!r} instead of {self.versions[self.current]}")

    def _look_for_orphans(self, verdict: Verdict) -> None:
        """Compare the machine's processes with those that the log wants, once they had time to become so."""
        until = time.monotonic() + SETTLED_WITHIN_S
        while True:
            actual, wanted = (
                actual_states(self._project),
                wanted_states(self.follower.events, self._project, self.current),
            )
            if actual == wanted:
                return
            if time.monotonic() > until:
                verdict.orphans.append(f"{actual} where {wanted} should be")
                return
            time.sleep(_BETWEEN_LOOKS_S)


def _about(deployment: str, *types: str) -> Callable[[Happened], bool]:
    return lambda event: event["about"] == deployment and event["type"] in types


def _of(*types: str) -> Callable[[Happened], bool]:
    return lambda event: event["type"] in types


@contextmanager
def kill_run(platform: Platform, folder: Path) -> Iterator[KillRun]:
    """Yield two versions of an app, one of which answers visitors, on an installation that has its failpoints on."""
    repository = make_repository(folder / "git" / "app", {"server.py": APP.read_text(), "VERSION": "0"})
    project = f"killed-{secrets.token_hex(3)}"
    visitors = Visitors(platform.port, f"{project}.localhost:{platform.port}")
    failpoints = FailpointFolder.of(platform)
    with smart_http(folder / "git") as url, EventFollower(platform) as follower, Verifier(platform) as verifier:
        run = KillRun(platform, failpoints, follower, visitors, verifier, repository, f"{url}/app", project)
        # The example that comes with every new installation.
        assert follower.wait_for(_of(*ENDS), 0, END_WITHIN_S) is not None
        run.undisturbed(Action.DEPLOYMENT)
        with visitors.visiting():
            yield run


@contextmanager
def installation_to_kill(folder: Path) -> Iterator[Platform]:
    """Yield an installation that runs apps as plain processes, with its failpoints on."""
    failpoints = FailpointFolder.made(folder / "failpoints")
    environment = {"WINDLASS_LOOPBACK_REPOSITORIES": "true", **failpoints.environment}
    # A signal that ends the run shall find it whole: it is ended in order, here.
    platform = Platform(folder / "home", free_port(), "process", environment, own_session=True)
    try:
        platform.start()
        yield platform
    finally:
        platform.kill()
        if (platform.home / "installation.json").exists():
            asyncio.run(ProcessRuntime(platform.installation, platform.home, {}).purge())
