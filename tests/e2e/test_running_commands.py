"""A command runs once in a release of a whole installation, with the app's variables and volumes."""

import signal
from uuid import UUID

from support.installations import GitHost
from support.story import Story

TERMINAL_PROGRAM = """
import os, signal, sys
size = lambda: tuple(os.get_terminal_size())
signal.signal(signal.SIGWINCH, lambda *_: print("resized to", size(), flush=True))
print("begun", flush=True)
try:
    for line in sys.stdin:
        print("said", line.strip(), "at", size(), flush=True)
except KeyboardInterrupt:
    print("interrupted", flush=True)
    sys.exit(3)
"""
"""Without a line editor: some lose a key that comes together with another size."""


def test_a_command_has_variables_volumes_both_outputs_and_its_exit_code(story: Story, git_host: GitHost) -> None:
    _, url = git_host.repository("hello-python")
    run = ("run", story.project, "--")
    nothing = story.platform.windlass(*run, "true")
    assert (nothing.returncode, "no project" in nothing.stderr.lower()) == (1, True), nothing.stderr

    story.deploy(url, volumes=[{"name": "data", "path": "/data"}])
    wrote = story.platform.windlass(*run, "echo kept > /data/file; echo said; echo loud >&2; exit 7")
    assert (wrote.returncode, wrote.stdout, wrote.stderr) == (7, "said\n", "loud\n")
    read = story.platform.windlass(*run, "sh", "-c", 'cat /data/file; echo "$1 $WINDLASS_PROJECT"', "sh", "a  b")
    project = story.platform.api("GET", f"/projects/{story.project}")[1]
    assert (read.returncode, read.stdout.splitlines()[0]) == (0, "kept")
    assert read.stdout.splitlines()[1].startswith("a  b "), (read.stdout, project)
    long = story.platform.windlass(*run, "seq 20000")
    assert (long.returncode, long.stdout) == (0, "".join(f"{number}\n" for number in range(1, 20_001)))


def test_a_deadline_and_an_interrupt_kill_it(story: Story, git_host: GitHost) -> None:
    _, url = git_host.repository("hello-python")
    story.deploy(url)
    late = story.platform.windlass("run", story.project, "--deadline", "1", "--", "sleep 600")
    assert (late.returncode, "longer than 1 s" in late.stderr) == (124, True), late.stderr

    detached = story.platform.windlass("run", story.project, "--detach", "-n", "--", "sleep 1")
    assert str(UUID(detached.stdout.strip())) in detached.stdout

    with story.platform.started("run", story.project, "--", "echo begun; sleep 600") as command:
        assert command.stdout is not None
        assert command.stdout.readline() == "begun\n"
        command.send_signal(signal.SIGINT)
        assert command.wait(60) == 130
    ended = [event["data"]["code"] for event in story.platform.events() if event["type"] == "run.ended.v1"]
    assert "canceled" in ended, ended  # the detached one may end before it or after it


def test_somebody_sits_before_it_or_bytes_go_through_it(story: Story, git_host: GitHost) -> None:
    _, url = git_host.repository("hello-python")
    story.deploy(url)
    if story.platform.runtime == "docker":
        with story.platform.in_terminal("run", story.project, "--", "python", "-c", TERMINAL_PROGRAM) as command:
            command.until(b"begun")
            command.type(b"hello\r")
            command.until(b"said hello at (90, 30)")
            command.resize(25, 70)
            command.until(b"resized to (70, 25)")
            command.type(b"\x03")
            command.until(b"interrupted")
            assert command.ended() == 3, command.shown
    else:
        sent = bytes(range(256)) * 3_000 + b"no line end"
        got = story.platform.piped(sent, "run", story.project, "--", "cat; printf loud >&2; exit 5")
        assert (got.returncode, got.stderr, got.stdout == sent) == (5, b"loud", True), got.stderr
    ended = [event for event in story.platform.events() if event["type"] == "run.ended.v1"]
    assert ended[-1]["data"]["code"] == "exited"
