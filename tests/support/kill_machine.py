"""An installation on a machine of its own, which lives through the deaths of its engine, and of the machine itself."""

import secrets
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from uuid import uuid4

from support.app_processes import PAUSED, RUNNING, States
from support.event_follower import EventFollower
from support.failpoint_folder import FailpointFolder
from support.git_server import make_repository, smart_http
from support.kill_acts import KillActs
from support.kill_cases import ENGINE, Action, KillCase
from support.kill_run import APP, KillRun
from support.kill_verdict import Verdict
from support.killed_app import END_WITHIN_S, of
from support.platform import Platform
from support.port_watch import PortWatch
from support.ports import free_port
from support.private_machine import PrivateMachine
from support.story import ENDS
from support.verifier import Verifier
from support.visitors import Failure, Visitors
from windlass.api import Json
from windlass.provisioning.engine import find_engine
from windlass.provisioning.progress import Silence
from windlass.provisioning.runner_images import RUNNERS, ensure_runner
from windlass_eventlog.failpoints import Armed

_BETWEEN_LOOKS_S = 0.05
_AWAY_S = 1.0
"""For so long a killed engine is away."""
_NOTHING_IS_HELD_AGAINST_AN_APP_S = 60.0
"""So long after its engine came back; as long as an app may take to be healthy."""
_AROUND_S = 0.1
"""What was under way when the power went, was so around the moment at which that was noted."""


@dataclass(frozen=True)
class Outage:
    """When the engine or the machine died, and when it was back; times are seconds since 1970."""

    began: float
    ended: float


@dataclass
class MachineRun(KillRun):
    """As on the real machine, but for who is killed; all of the platform runs on the private one."""

    machine: PrivateMachine = field(kw_only=True)
    watch: PortWatch = field(kw_only=True)
    sources: "Sources" = field(kw_only=True)
    engine_back_at: float = 0.0
    """In seconds since 1970."""

    def run(self, case: KillCase) -> Verdict:
        self.acts.prepare(case.action)
        if case.action is Action.RESTORING:
            time.sleep(max(0.0, self.engine_back_at + _NOTHING_IS_HELD_AGAINST_AN_APP_S - time.time()))
        verdict, began = Verdict(case), time.time()
        self.settle(verdict)
        armed = Armed(case.service, case.point, uuid4().hex, self.machine.engine if case.victim == ENGINE else None)
        with ThreadPoolExecutor(1) as passers_by:
            self.folder.arm(armed)
            rescue = passers_by.submit(self._rescue, case, armed)
            try:
                self.acts.act(case.action, verdict)
                verdict.took_s = time.time() - began
                self.settle(verdict)
            finally:
                self.folder.disarm()
            outage = rescue.result()
        self.look_at_answer(verdict)
        self._judge(verdict, began, outage)
        return verdict

    def look_at_answer(self, verdict: Verdict) -> None:
        """Wait until the right version answers: an engine that starts ends all containers first."""
        until = time.monotonic() + END_WITHIN_S
        while not self.answers() and time.monotonic() < until:
            time.sleep(_BETWEEN_LOOKS_S)
        super().look_at_answer(verdict)

    def actual(self) -> States:
        """Return the containers of the project that the engine has."""
        form = '{{.Label "dev.windlass.deployment"}} {{.State}}'
        mine = (
            "--filter",
            f"label=dev.windlass.project={self.acts.project}",
            "--filter",
            "label=dev.windlass.role=runner",
        )
        found = (line.split() for line in self.machine.docker("ps", "--all", *mine, "--format", form).splitlines())
        there = {"running": RUNNING, "restarting": RUNNING, "paused": PAUSED}
        return Counter((deployment, there[state]) for deployment, state in found if state in there)

    def verified(self) -> Json:
        with self.machine.network(), Verifier(self.platform) as verifier:
            return verifier.verify()

    def _rescue(self, case: KillCase, armed: Armed) -> Outage | None:
        """Wait for the kill, and let come back what died, as somebody would who passes by; None where nothing did."""
        killed_at = self.folder.killed_at(armed, END_WITHIN_S)
        if killed_at is None:
            return None
        if case.victim == ENGINE:
            time.sleep(_AWAY_S)
            self.machine.start_engine()
        else:
            self.machine.power_off()
            self.platform.kill()
            self.machine.boot()
            self.sources.serve()
            self.platform.start()
        self.engine_back_at = time.time()
        return Outage(killed_at, self.engine_back_at)

    def _judge(self, verdict: Verdict, began: float, outage: Outage | None) -> None:
        failures = self.visitors.failures_since(began)
        if outage is None:
            verdict.judge(failures, began, lambda _: False)
        else:
            verdict.killed, verdict.back_s = True, outage.ended - outage.began
            verdict.judge(failures, began, lambda failure: self._could_not_be_answered(failure, outage))

    def _could_not_be_answered(self, failure: Failure, outage: Outage) -> bool:
        """Tell whether the machine was off, nobody had to listen yet, or the app itself did not answer."""
        went_off = failure.began <= outage.began + _AROUND_S and failure.ended >= outage.began - _AROUND_S
        not_listening = failure.connected_at is None and failure.ended <= outage.ended
        return went_off or not_listening or not self.watch.could_answer(failure.began, failure.ended)


@dataclass
class Sources:
    """A Git server on the machine's loopback, which has to be started again after each boot."""

    machine: PrivateMachine
    folder: Path
    port: int
    _stack: ExitStack = field(default_factory=ExitStack)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/app"

    def __enter__(self) -> Self:
        self.serve()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def serve(self) -> None:
        """Serve, in place of the server that may be there."""
        self._stack.close()
        with self.machine.network():
            self._stack.enter_context(smart_http(self.folder, port=self.port))


@contextmanager
def machine_run() -> Iterator[MachineRun]:
    """Yield an app that answers visitors, on a machine of its own whose platform has its failpoints on."""
    folder = Path(tempfile.mkdtemp(prefix="wl-"))  # short, for there is a socket in it
    machine, engine = PrivateMachine(folder / "m"), find_engine()
    try:
        for runner in RUNNERS.values():
            machine.take_image(engine, ensure_runner(runner, engine, Silence()).tag)
        with machine, _platform_on(machine, folder) as platform, _run_on(machine, platform, folder) as run:
            yield run
    finally:
        machine.power_off()
        shutil.rmtree(folder)


@contextmanager
def _platform_on(machine: PrivateMachine, folder: Path) -> Iterator[Platform]:
    failpoints = FailpointFolder.made(folder / "failpoints")
    environment = {"WINDLASS_LOOPBACK_REPOSITORIES": "true", "DOCKER_HOST": machine.url, **failpoints.environment}
    platform = Platform(folder / "home", free_port(), "docker", environment, own_session=True, machine=machine)
    platform.start()
    try:
        yield platform
    finally:
        machine.power_off()
        platform.kill()


@contextmanager
def _run_on(machine: PrivateMachine, platform: Platform, folder: Path) -> Iterator[MachineRun]:
    repository = make_repository(folder / "git" / "app", {"server.py": APP.read_text(), "VERSION": "0"})
    project = f"killed-{secrets.token_hex(3)}"
    visitors = Visitors(platform, f"{project}.localhost:{platform.port}")
    failpoints = FailpointFolder.of(platform)
    with Sources(machine, folder / "git", free_port()) as sources, EventFollower(platform) as follower:
        acts = KillActs(platform, follower, repository, sources.url, project)
        watch = PortWatch(platform, follower, project)
        run = MachineRun(platform, failpoints, follower, visitors, acts, machine=machine, watch=watch, sources=sources)
        # The example that comes with every new installation.
        assert follower.wait_for(of(*ENDS), 0, END_WITHIN_S) is not None
        run.undisturbed(Action.DEPLOYMENT)
        with watch.watching(), visitors.visiting():
            yield run
