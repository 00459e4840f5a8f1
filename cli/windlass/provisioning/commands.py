"""Runs other programs: never with the terminal's input, always with an error that says what they said last."""

import os
import subprocess
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from windlass.provisioning.errors import CommandFailedError
from windlass.provisioning.progress import Progress

LAST_LINES = 5


def run(
    command: Sequence[str], progress: Progress, *, stdin: IO[bytes] | None = None, add: Mapping[str, str] | None = None
) -> None:
    """Run `command` with the variables `add` in its environment, and pass each line it prints to `progress`.

    Raises:
        CommandFailedError: it could not be started, or ended with another status than 0.
    """
    last_words: deque[str] = deque(maxlen=LAST_LINES)
    try:
        with subprocess.Popen(  # noqa: S603 - a list of arguments, no shell
            command,
            stdin=stdin or subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(add or {})},
            text=True,
            errors="replace",
        ) as process:
            for line in process.stdout or ():
                last_words.append(line.rstrip())
                progress.say(line.rstrip())
    except OSError as error:
        raise CommandFailedError(command[0], str(error)) from error
    if process.returncode != 0:
        raise CommandFailedError(_name(command), "\n".join(last_words))


def output_of(command: Sequence[str], *, seconds: float = 60, add: Mapping[str, str] | None = None) -> str:
    """Return what `command` prints, stripped.

    Raises:
        CommandFailedError: it could not be started, ended with another status than 0, or took longer than `seconds`.
    """
    try:
        done = subprocess.run(  # noqa: S603 - a list of arguments, no shell
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={**os.environ, **(add or {})},
            text=True,
            errors="replace",
            timeout=seconds,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        raise CommandFailedError(_name(command), error.stderr.strip()) from error
    except subprocess.TimeoutExpired as error:
        raise CommandFailedError(_name(command), f"it took longer than {seconds:.0f} s") from error
    except OSError as error:
        raise CommandFailedError(command[0], str(error)) from error
    return done.stdout.strip()


def _name(command: Sequence[str]) -> str:
    """Return the program and its subcommand, as in `docker build`."""
    subcommand = [argument for argument in command[1:2] if not argument.startswith("-")]
    return " ".join([Path(command[0]).name, *subcommand])
