"""A Debian file system made from packages alone, for machines that no registry answers."""

from pathlib import Path

from windlass.provisioning.commands import output_of, run
from windlass.provisioning.errors import CommandFailedError
from windlass.provisioning.packages import Program, ensure_program
from windlass.provisioning.progress import Progress, step

SUITE = "bookworm"
MMDEBSTRAP = Program("mmdebstrap", ["mmdebstrap"], ["mmdebstrap"])
OPTIONS = (
    "--variant=minbase",
    # Without this hook the package usrmerge does the merge, and drags perl in (47 MB more).
    "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
    "--include=usr-is-merged,ca-certificates",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-include=/usr/share/doc/*/copyright",
)


def make_file_system(folder: Path, progress: Progress) -> Path:
    """Make a minimal Debian in `folder` and return it as a tar archive.

    Raises:
        ProgramMissingError: mmdebstrap is absent and cannot be installed from here.
        CommandFailedError: it failed, for want of a mirror for example.
    """
    ensure_program(MMDEBSTRAP, progress)
    archive = folder / "debian.tar"
    with step(progress, f"Making Debian {SUITE} from its packages"):
        run(["mmdebstrap", *OPTIONS, SUITE, str(archive), *_mirrors()], progress)
    return archive


def _mirrors() -> list[str]:
    """Return the sources that this machine itself takes Debian from; none where it is no such Debian.

    mmdebstrap then uses its own default.
    """
    line = "deb $(REPO_URI) $(RELEASE) $(COMPONENT)"
    debian = ["Created-By: Packages", "Origin: Debian"]
    try:
        sources = output_of(["apt-get", "indextargets", "--format", line, *debian]).splitlines()
    except CommandFailedError:
        return []  # no apt here: mmdebstrap brings its own idea of a mirror
    suites = (SUITE, f"{SUITE}-updates", f"{SUITE}-security")
    return sorted({source for source in sources if source.split()[2] in suites})
