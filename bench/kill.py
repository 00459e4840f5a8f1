"""Kill services, servers, the Docker engine and the whole machine at each step of what an app goes through.

Deployments, rollbacks, versions of several containers, supersedes, cancels and more: tests/support/kill_cases.py says
who is killed in which. One installation with plain processes lives through all cases of services and servers. Runs
without a kill say which points there are: each append, each acknowledgement of a wake-up, and the effects between
them. In each case one process gets SIGKILL exactly at one point (windlass_eventlog/failpoints.py) while visitors ask
the app for an answer all the time. The engine and the machine die at named moments, on a machine of their own. QUICK=1
runs the 14 cases of tests/chaos. After each case (with QUICK, after the last), when all is at rest, processes are
compared with the log, and what `windlass verify` does compares the rest. CASES="router superseding" runs the cases that
have each of the words. SIGINT and SIGTERM end it after the case that is under way, with the figures so far; a second
one does not wait for that.

Prints one JSON object:
- `cases`: kills that happened;
- `wedged`: actions that did not end as they should within 60 s, or after which the right version did not answer;
- `lost`: events that the log had acknowledged, to a service or to us, and that are not in it at the end;
- `orphans`: times that something ran that should not, or did not run that should;
- `failed_requests`: visitors' requests without a good answer, but for those that broke off with a killed Traefik, and
  those that came while the machine was off or the app itself could not answer (docs/reliability.md);
- `verify_failures`: times that `windlass verify` found something.

What failed is told with the place where the logs of that case were kept. REPORT=1 writes docs/reliability.md's matrix.
"""

import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from support.kill_cases import ENGINE, MACHINE, REPRESENTATIVE, Action, KillCase, actions_with, full_matrix, of_machines
from support.kill_machine import machine_run
from support.kill_report import write_matrix
from support.kill_run import KillRun, installation_to_kill, kill_run
from support.kill_verdict import Verdict

QUICK = bool(os.environ.get("QUICK"))
DOCUMENT = Path(__file__).parent.parent / "docs" / "reliability.md"
_console = Console(stderr=True)


@dataclass
class Bench:
    """All cases, on one installation for as long as nothing is wedged there."""

    folder: Path
    verdicts: list[Verdict] = field(default_factory=list)
    planned: int = 0
    lost: list[str] = field(default_factory=list)
    undisturbed_s: dict[Action, float] = field(default_factory=dict)
    ending: bool = False

    def end(self, *_: object) -> None:
        """End after the case that is under way; when told again, at once."""
        if self.ending:
            raise KeyboardInterrupt
        self.ending = True
        _console.print("Ending after this case.")

    def run(self, progress: Progress) -> None:
        words = os.environ.get("CASES", "").split()
        if QUICK:
            self._run_all(self._opened, lambda _: REPRESENTATIVE, progress)
            return
        if not {ENGINE, MACHINE}.intersection(words):
            self._run_all(self._opened, lambda run: self._matrix(run, words), progress)
        on_machines = of_machines(words)
        self.planned += len(on_machines)
        if on_machines:
            self._run_all(machine_run, lambda _: on_machines, progress)

    def _run_all(
        self,
        opened: Callable[[], AbstractContextManager[KillRun]],
        cases: Callable[[KillRun], Sequence[KillCase]],
        progress: Progress,
    ) -> None:
        """Run cases, on a new installation after each case that was wedged."""
        waiting: list[KillCase] | None = None
        while not self.ending and (waiting is None or waiting):
            with opened() as run:
                waiting = list(cases(run)) if waiting is None else waiting
                if self._run_until_wedged(run, waiting, progress):
                    self.lost += run.lost()

    @contextmanager
    def _opened(self) -> Iterator[KillRun]:
        folder = self.folder / str(len(self.verdicts))
        with installation_to_kill(folder) as platform, kill_run(platform, folder) as run:
            yield run

    def _matrix(self, run: KillRun, words: Sequence[str]) -> Sequence[KillCase]:
        points = {}
        for action in actions_with(words):
            points[action], self.undisturbed_s[action] = run.undisturbed(action)
        matrix = full_matrix(points)
        self.planned = len(matrix)
        return [case for case in matrix if all(word in str(case) for word in words)]

    def _run_until_wedged(self, run: KillRun, waiting: list[KillCase], progress: Progress) -> bool:
        """Run cases; return whether the installation can still be asked for its log."""
        task, lives = progress.add_task("", total=len(waiting)), True
        while waiting and not self.ending:
            case = waiting.pop(0)
            progress.update(task, description=str(case))
            verdict = Verdict(case)
            try:
                verdict = run.run(case)
                if not QUICK or not waiting or verdict.wrong:
                    run.look_closely(verdict)
            except (AssertionError, OSError) as error:  # it does not come back at all
                verdict.wedged.append(repr(error))
                lives = False
            self.verdicts.append(verdict)
            self._tell(run, verdict)
            progress.advance(task)
            if verdict.wedged:
                break
        progress.remove_task(task)
        return lives

    def _tell(self, run: KillRun, verdict: Verdict) -> None:
        if not verdict.killed:
            _console.print(f"[yellow]nobody came by: {verdict.case}")
        if verdict.wrong:
            kept = Path(tempfile.mkdtemp(prefix="windlass-kill-"))
            shutil.copytree(run.platform.home / "logs", kept / "logs")
            shutil.copy(run.folder.path / "reached.jsonl", kept)
            (kept / "events.jsonl").write_text("\n".join(map(json.dumps, run.follower.events)))
            _console.print(f"[red]{verdict.case}[/]: {'; '.join(verdict.wrong)}. Logs: {kept}")


def report(bench: Bench) -> None:
    killed = [verdict for verdict in bench.verdicts if verdict.killed]
    for action, seconds in bench.undisturbed_s.items():
        took = sorted(verdict.took_s for verdict in killed if verdict.case.action is action)
        if took:
            print(f"{action}: undisturbed {seconds:.1f} s, killed p50 {took[len(took) // 2]:.1f}, max {took[-1]:.1f}")
    for what, times in (("at rest", "rested_s"), ("verified", "verified_s")):
        if took := sorted(getattr(verdict, times) for verdict in bench.verdicts if verdict.verified_s):
            print(f"{what} after: p50 {took[len(took) // 2]:.2f} s, max {took[-1]:.2f}")
    print(f"points that nobody came to: {len(bench.verdicts) - len(killed)}")
    print(f"requests that nobody could answer: {sum(verdict.cut_off for verdict in killed)}")
    for lost in bench.lost:
        print(f"lost: {lost}", file=sys.stderr)
    figures = {
        "cases": len(killed),
        "wedged": sum(bool(verdict.wedged) for verdict in bench.verdicts),
        "lost": len(bench.lost),
        "orphans": sum(bool(verdict.orphans) for verdict in bench.verdicts),
        "failed_requests": sum(len(verdict.failed_requests) for verdict in bench.verdicts),
        "verify_failures": sum(bool(verdict.verify_failures) for verdict in bench.verdicts),
    }
    print(json.dumps(figures))


def main() -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="windlass-bench-"))
        progress = stack.enter_context(
            Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=_console, transient=True)
        )
        bench = Bench(Path(folder))
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, bench.end)
        with suppress(KeyboardInterrupt):
            bench.run(progress)
    if os.environ.get("REPORT"):
        write_matrix(DOCUMENT, bench.verdicts, bench.planned, bench.undisturbed_s)
    report(bench)


if __name__ == "__main__":
    main()
