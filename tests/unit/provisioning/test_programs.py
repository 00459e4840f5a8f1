"""Programs of the operating system: found, or their absence said with the way out."""

from collections.abc import Callable
from pathlib import Path

import pytest

from windlass.provisioning.commands import output_of, run
from windlass.provisioning.errors import CommandFailedError, ProgramMissingError
from windlass.provisioning.packages import Program, ensure_program
from windlass.provisioning.progress import Silence
from windlass.resources import examples, infra

ABSENT = Program("the absent tool", ["windlass-absent", "windlass-absent-too"], ["absent-package"])


class Recorder(Silence):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def test_program_that_is_there_is_not_installed_again() -> None:
    recorder = Recorder()
    assert ensure_program(Program("the shell", ["windlass-absent", "sh"], ["absent-package"]), recorder).name == "sh"
    assert recorder.lines == []


def test_missing_program_names_its_package_where_nothing_may_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ProgramMissingError, match=r"the absent tool is missing\..*apt-get install absent-package"):
        ensure_program(ABSENT, Silence())


def test_failed_command_repeats_the_last_words_of_the_program() -> None:
    recorder = Recorder()
    with pytest.raises(CommandFailedError, match="no space left") as failure:
        run(["sh", "-c", "echo begun; echo no space left >&2; exit 3"], recorder)
    assert recorder.lines == ["begun", "no space left"]
    assert failure.value.remedy


def test_command_gets_no_terminal_input_and_the_added_variables() -> None:
    recorder = Recorder()
    run(["sh", "-c", "cat; echo $ADDED"], recorder, add={"ADDED": "here"})
    assert recorder.lines == ["here"]


def test_command_that_takes_too_long_is_ended_and_said() -> None:
    with pytest.raises(CommandFailedError, match=r"it took longer than 0 s"):
        output_of(["sleep", "30"], seconds=0.1)


@pytest.mark.parametrize(
    "attempt", [lambda: output_of(["windlass-absent"]), lambda: run(["windlass-absent"], Silence())]
)
def test_absent_command_is_the_same_kind_of_failure(attempt: Callable[[], object]) -> None:
    with pytest.raises(CommandFailedError, match="windlass-absent"):
        attempt()


def test_files_that_are_not_python_are_found_in_a_checkout() -> None:
    assert (infra() / "runners" / "python" / "Dockerfile").is_file()
    assert (examples() / "README.md").is_file()


def test_uv_is_pinned_alike_for_the_platform_and_its_runners() -> None:
    lock = Path(infra().parent, "requirements.txt").read_text()
    assert (infra() / "runners" / "python" / "uv.txt").read_text() in lock
