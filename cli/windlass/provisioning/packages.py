"""Programs that come from the operating system: found, or installed where that is ours to do (root on Debian)."""

import os
import platform
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from windlass.provisioning.commands import run
from windlass.provisioning.errors import CommandFailedError, ProgramMissingError
from windlass.provisioning.progress import Progress, step

APT = ("apt-get", "-o", "DPkg::Lock::Timeout=300")
UNATTENDED = {"DEBIAN_FRONTEND": "noninteractive"}


@dataclass(frozen=True)
class Program:
    """A program under any of its `names`, brought by Debian's `packages`."""

    title: str
    names: Sequence[str]
    packages: Sequence[str]

    def find(self) -> Path | None:
        """Return where it is installed, if it is."""
        found = (shutil.which(name) for name in self.names)
        return next((Path(path) for path in found if path is not None), None)


def ensure_program(program: Program, progress: Progress) -> Path:
    """Return where `program` is, installed now if need be.

    Raises:
        ProgramMissingError: it is absent and cannot be installed from here.
    """
    path = program.find()
    if path is not None:
        return path
    _install(program, progress)
    path = program.find()
    if path is None:
        raise ProgramMissingError(
            f"{program.title} was installed, but none of {', '.join(program.names)} is on the PATH.",
            "Add its folder to the PATH and run again.",
        )
    return path


def may_install() -> bool:
    """Say whether packages can be installed without asking anybody: root, on Debian or a child of it."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None and "debian" in _families()


def _families() -> set[str]:
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return set()  # no Linux distribution at all
    return {release["ID"], *release.get("ID_LIKE", "").split()}


def _install(program: Program, progress: Progress) -> None:
    wanted = " ".join(program.packages)
    if not may_install():
        raise ProgramMissingError(
            f"{program.title} is missing.", f"Install it; on Debian, as root: apt-get install {wanted}"
        )
    with step(progress, f"Installing {program.title} ({wanted})"):
        try:
            _refresh_lists(progress)
            run([*APT, "install", "-y", "--no-install-recommends", *program.packages], progress, add=UNATTENDED)
        except CommandFailedError as error:
            raise ProgramMissingError(
                f"{program.title} could not be installed. apt says: {error.last_words}",
                f"Install it by hand: apt-get install {wanted}",
            ) from error


def _refresh_lists(progress: Progress) -> None:
    """Fetch the package lists; one source that does not answer must not stop packages of the others."""
    try:
        run([*APT, "update"], progress, add=UNATTENDED)
    except CommandFailedError as error:
        progress.say(f"Going on with the package lists at hand: {error.what}")
