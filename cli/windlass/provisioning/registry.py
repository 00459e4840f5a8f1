"""A registry of images for tests, from Debian's package: unpacked and not installed, for that would start a service."""

import shutil
import tempfile
from pathlib import Path

from windlass.provisioning.commands import run
from windlass.provisioning.errors import CommandFailedError, ProgramMissingError
from windlass.provisioning.packages import APT, UNATTENDED, may_install
from windlass.provisioning.progress import Progress, step

NAME = "docker-registry"
_PLACE = Path("/usr/local/bin") / NAME


def ensure_registry(progress: Progress) -> Path:
    """Return `docker-registry`, which tests start for themselves.

    Raises:
        ProgramMissingError: it is absent, and cannot be had here.
    """
    found = shutil.which(NAME)
    if found is not None:
        return Path(found)
    if not may_install():
        raise ProgramMissingError("docker-registry is missing.", f"Put it on the PATH, as in Debian's package {NAME}.")
    with step(progress, "Fetching docker-registry"):
        try:
            _fetch(progress)
        except CommandFailedError as error:
            raise ProgramMissingError(
                f"docker-registry could not be fetched. apt says: {error.last_words}", "Fetch it by hand."
            ) from error
    return _PLACE


def _fetch(progress: Progress) -> None:
    with tempfile.TemporaryDirectory() as folder:
        archives = Path(folder, "archives")
        (archives / "partial").mkdir(parents=True)
        apt = [*APT, "-o", f"Dir::Cache={folder}", "-o", "APT::Sandbox::User=root"]
        run([*apt, "update"], progress, add=UNATTENDED)
        fetch = [*apt, "install", "-y", "--reinstall", "--download-only", "--no-install-recommends", NAME]
        run(fetch, progress, add=UNATTENDED)
        (package,) = archives.glob(f"{NAME}_*.deb")
        run(["dpkg-deb", "--extract", str(package), str(Path(folder, "whole"))], progress)
        draft = _PLACE.with_name(f".{NAME}")
        shutil.copy(Path(folder, "whole", "usr", "bin", NAME), draft)
        draft.replace(_PLACE)
