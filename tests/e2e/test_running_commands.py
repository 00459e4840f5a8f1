"""A command runs once in a release of a whole installation, with the app's variables and volumes."""

import signal
from uuid import UUID

from support.installations import GitHost
from support.story import Story


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
        assert command.wait(30) == 130
    ended = [event for event in story.platform.events() if event["type"] == "run.ended.v1"]
    assert ended[-1]["data"]["code"] == "canceled"


def test_somebody_sits_before_it_or_bytes_go_through_it(story: Story, git_host: GitHost) -> None:
    _, url = git_host.repository("hello-python")
    story.deploy(url)
    if story.platform.runtime == "docker":
        with story.platform.in_terminal("run", story.project, "--", "python", "-q", "-i") as command:
            command.until(b">>> ")
            command.type(b"import os; print(tuple(os.get_terminal_size()), 6 * 7)\r")
            command.until(b"(90, 30) 42")
            command.resize(25, 70)
            command.type(b"while tuple(os.get_terminal_size()) != (70, 25): pass\r\r")
            command.until(b">>> ")
            command.type(b"while True: pass\r\r")
            command.type(b"\x03")
            command.until(b"KeyboardInterrupt")
            command.type(b"exit(3)\r")
            assert command.ended() == 3, command.shown
    else:
        sent = bytes(range(256)) * 3_000 + b"no line end"
        got = story.platform.piped(sent, "run", story.project, "--", "cat; printf loud >&2; exit 5")
        assert (got.returncode, got.stderr, got.stdout == sent) == (5, b"loud", True), got.stderr
    ended = [event for event in story.platform.events() if event["type"] == "run.ended.v1"]
    assert ended[-1]["data"]["code"] == "exited"
