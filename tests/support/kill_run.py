"""One installation that lives through kills: a project whose versions are numbered, under the eyes of visitors."""

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPException
from pathlib import Path
from uuid import uuid4

from support.app_processes import States, actual_states, wanted_states
from support.event_follower import EventFollower, Happened
from support.failpoint_folder import FailpointFolder
from support.git_server import make_repository, smart_http
from support.kill_acts import KillActs
from support.kill_cases import SERVERS, Action, KillCase
from support.kill_verdict import Verdict, was_cut_off
from support.killed_app import END_WITHIN_S, about, of
from support.platform import Platform
from support.ports import free_port
from support.story import ENDS
from support.verifier import Verifier
from support.visitors import Failure, Visitors
from windlass.api import Json
from windlass.up.backoff import HEALTHY_SECONDS
from windlass_builder.adapters.processes.runtime import ProcessRuntime
from windlass_eventlog.failpoints import Armed, Reached

APP = Path(__file__).with_name("streaming_app.py")
SETTLED_WITHIN_S = 60.0
"""What follows the end (the version before is paused) has to be done by then."""
_KILLED_WITHIN_S = 15.0
_BETWEEN_LOOKS_S = 0.05


@dataclass
class KillRun:
    """Acts, and kills meanwhile."""

    platform: Platform
    folder: FailpointFolder
    follower: EventFollower
    visitors: Visitors
    acts: KillActs
    verifier: Verifier | None = None
    """Kept where the way to the platform is; none makes one each time."""
    _back_at: dict[str, float] = field(default_factory=dict)

    def undisturbed(self, action: Action) -> tuple[Sequence[Reached], float]:
        """Return the points that an action comes to when nobody is killed, and the seconds that it takes."""
        self.acts.prepare(action)
        passed = len(self.folder.reached())
        began = time.time()
        verdict = Verdict.of(action)
        self.acts.act(action, verdict)
        took = time.time() - began
        self.settle(verdict)
        assert not verdict.wrong, verdict.wrong
        return [one for one in self.folder.reached(passed) if one.service], took

    def run(self, case: KillCase) -> Verdict:
        """Act, kill, and look at what became of it. What follows the end is waited for if the kill belongs there."""
        self.acts.prepare(case.action)
        self._leave_in_peace(case.victim)
        verdict, began = Verdict(case), time.time()
        armed = Armed(case.service, case.point, uuid4().hex, self._process(case))
        self.folder.arm(armed)
        try:
            self.acts.act(case.action, verdict)
            verdict.took_s = time.time() - began
            if self.folder.killed_at(armed, 0) is None:
                self.settle(verdict)
            killed_at = self.folder.killed_at(armed, _KILLED_WITHIN_S)
        finally:
            self.folder.disarm()
        excused: Callable[[Failure], bool] = _nobody_is
        if killed_at is not None:
            noticed_at = self._wait_until_back(verdict, killed_at)
            if case.victim == "Traefik":
                excused = partial(was_cut_off, killed_at=killed_at, noticed_at=noticed_at)
        self.look_at_answer(verdict)
        verdict.judge(self.visitors.failures_since(began), began, excused)
        return verdict

    def lost(self) -> Sequence[str]:
        """Return what was acknowledged, to a service or to us, and is not in the log as it is read anew now."""
        known = {event["sequence"]: event for event in self.platform.events()}
        acknowledged = [*self.acts.acknowledged]
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
        self.settle(verdict)
        self._look_for_orphans(verdict)
        verdict.rested_s = time.monotonic() - began
        said = self.verified()
        verdict.verified_s = time.monotonic() - began - verdict.rested_s
        if not said["clean"]:
            verdict.verify_failures.append(f"windlass verify: {json.dumps(said)}")

    def actual(self) -> States:
        """Return the containers of the project that are there."""
        return actual_states(self.acts.project)

    def verified(self) -> Json:
        """Return what the installation finds when it checks itself."""
        assert self.verifier is not None
        return self.verifier.verify()

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

    def settle(self, verdict: Verdict) -> None:
        """Wait until the version before is paused, which is the last that an action leads to."""
        before = self.acts.before
        if before:
            moved = max(event["sequence"] for event in self.follower.events if _took(event, self.acts.current))
            paused = about(before, "container.paused.v1", "container.stopped.v1")
            if self.follower.wait_for(paused, moved, SETTLED_WITHIN_S) is None:
                verdict.orphans.append(f"{before} was not paused within {SETTLED_WITHIN_S:.0f} s")

    def answers(self) -> bool:
        """Tell whether the version answers that should."""
        try:
            return self.platform.get(self.acts.name) == (200, self.acts.versions[self.acts.current].encode())
        except (OSError, HTTPException):
            return False

    def look_at_answer(self, verdict: Verdict) -> None:
        status, body = self.platform.get(self.acts.name)
        version = self.acts.versions[self.acts.current]
        if (status, body.decode()) != (200, version):
            verdict.wedged.append(f"answers {status} {body.decode()!r} instead of {version}")

    def _look_for_orphans(self, verdict: Verdict) -> None:
        """Compare the machine's processes with those that the log wants, once they had time to become so."""
        until = time.monotonic() + SETTLED_WITHIN_S
        while True:
            actual = self.actual()
            wanted = wanted_states(self.follower.events, self.acts.project, self.acts.current)
            if actual == wanted:
                return
            if time.monotonic() > until:
                verdict.orphans.append(f"{actual} where {wanted} should be")
                return
            time.sleep(_BETWEEN_LOOKS_S)


def _nobody_is(_failure: Failure) -> bool:
    return False


def _took(event: Happened, deployment: str) -> bool:
    """Tell whether a deployment got the environment by that."""
    moves = event["data"]["moves"] if event["type"] == "aliases.changed.v1" else ()
    return any(move["after"] == deployment and move["alias"]["kind"] == "environment" for move in moves)


@contextmanager
def kill_run(platform: Platform, folder: Path) -> Iterator[KillRun]:
    """Yield two versions of an app, one of which answers visitors, on an installation that has its failpoints on."""
    repository = make_repository(folder / "git" / "app", {"server.py": APP.read_text(), "VERSION": "0"})
    project = f"killed-{secrets.token_hex(3)}"
    visitors = Visitors(platform, f"{project}.localhost:{platform.port}")
    failpoints = FailpointFolder.of(platform)
    with smart_http(folder / "git") as url, EventFollower(platform) as follower, Verifier(platform) as verifier:
        acts = KillActs(platform, follower, repository, f"{url}/app", project)
        run = KillRun(platform, failpoints, follower, visitors, acts, verifier)
        # The example that comes with every new installation.
        assert follower.wait_for(of(*ENDS), 0, END_WITHIN_S) is not None
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
