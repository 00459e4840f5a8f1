"""buildx, the program through which BuildKit builds repositories' Dockerfiles.

Debian has it from its release 13 on; the same program runs on 12, for it needs nothing but the C library.
"""

import os
import shutil
import tempfile
from pathlib import Path

from windlass.provisioning.commands import output_of, run
from windlass.provisioning.errors import CommandFailedError, ProgramMissingError
from windlass.provisioning.packages import APT, UNATTENDED, may_install
from windlass.provisioning.progress import Progress, step

NAME = "docker-buildx"
PLUGINS = Path("/usr/local/lib/docker/cli-plugins")
_FOLDERS = (str(PLUGINS), "/usr/libexec/docker/cli-plugins", "/usr/lib/docker/cli-plugins")
_BY_HAND = "Install the package docker-buildx (Debian 13) or docker-buildx-plugin (Docker's own packages)."
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_SOURCE = "Types: deb\nURIs: {}\nSuites: trixie\nComponents: main\nSigned-By: {}\n"


def find_buildx() -> Path | None:
    """Return where buildx is, if it is."""
    found = shutil.which(NAME, path=os.pathsep.join((*_FOLDERS, os.environ.get("PATH", os.defpath))))
    return None if found is None else Path(found)


def ensure_buildx(progress: Progress) -> Path:
    """Return where buildx is, installed now if need be.

    Raises:
        ProgramMissingError: it is absent and cannot be installed from here.
    """
    path = find_buildx()
    if path is not None:
        return path
    if not may_install() or not _KEYRING.exists():
        raise ProgramMissingError("buildx is missing, which builds Dockerfiles.", _BY_HAND)
    with step(progress, "Installing buildx"):
        try:
            _install(progress)
        except CommandFailedError as error:
            raise ProgramMissingError(
                f"buildx could not be installed. It says: {error.last_words}", _BY_HAND
            ) from error
    return PLUGINS / NAME


def _mirror() -> str:
    """Return where this machine has Debian from."""
    known = output_of(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]).splitlines()
    return next((uri for uri in known if uri.rstrip("/").endswith("/debian")), "http://deb.debian.org/debian")


def _install(progress: Progress) -> None:
    """Fetch Debian's package with lists of its own, so that nothing else of the system comes from that release."""
    with tempfile.TemporaryDirectory() as folder:
        sources, lists, cache = (Path(folder, name) for name in ("sources", "lists", "cache"))
        for path in (sources, lists / "partial", cache / "archives" / "partial"):
            path.mkdir(parents=True)
        (sources / "trixie.sources").write_text(_SOURCE.format(_mirror(), _KEYRING))
        options = {
            "Dir::Etc::SourceList": "/dev/null",
            "Dir::Etc::SourceParts": sources,
            "Dir::State::Lists": lists,
            "Dir::Cache": cache,
            "APT::Sandbox::User": "root",
        }
        apt = [*APT, *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]
        run([*apt, "update"], progress, add=UNATTENDED)
        run([*apt, "install", "-y", "--download-only", "--no-install-recommends", NAME], progress, add=UNATTENDED)
        (package,) = (cache / "archives").glob(f"{NAME}_*.deb")
        run(["dpkg-deb", "--extract", str(package), str(Path(folder, "whole"))], progress)
        (program,) = Path(folder, "whole").glob(f"usr/lib*/docker/cli-plugins/{NAME}")
        PLUGINS.mkdir(parents=True, exist_ok=True)
        draft = PLUGINS / f".{NAME}"
        shutil.copy(program, draft)
        draft.replace(PLUGINS / NAME)
