"""The Docker engine that apps run on: the one that answers, or one that is installed and started here."""

import os
import sys
from dataclasses import dataclass

from windlass.provisioning.commands import output_of, run
from windlass.provisioning.daemon import start_daemon
from windlass.provisioning.errors import CommandFailedError, EngineUnavailableError, ProgramMissingError
from windlass.provisioning.packages import Program, ensure_program, may_install
from windlass.provisioning.progress import Progress, step

ANSWER_SECONDS = 15
SOCKET = "unix:///var/run/docker.sock"
CLIENT = Program("the docker command", ["docker"], ["docker.io"])
DAEMON = Program("Docker", ["dockerd"], ["docker.io", "containerd", "runc", "iptables", "iproute2"])
SYSTEMD = "/run/systemd/system"


@dataclass(frozen=True)
class Engine:
    """A Docker engine that answered at `url`, in the form of DOCKER_HOST."""

    url: str
    version: str

    @property
    def is_here(self) -> bool:
        """Whether its containers' packets pass through this machine's kernel."""
        return sys.platform == "linux" and self.url.startswith("unix://")


def find_engine() -> Engine:
    """Return the engine that answers at DOCKER_HOST or at the usual socket.

    Raises:
        EngineUnavailableError: none does.
    """
    url = os.environ.get("DOCKER_HOST") or SOCKET
    if CLIENT.find() is None:
        raise EngineUnavailableError(
            "The docker command is missing.", "Install Docker; on Debian, as root: apt-get install docker.io"
        )
    command = ["docker", "--host", url, "version", "--format", "{{.Server.Version}}"]
    try:
        return Engine(url, output_of(command, seconds=ANSWER_SECONDS))
    except CommandFailedError as error:
        raise EngineUnavailableError(
            f"No Docker engine answers at {url}: {error.last_words}.",
            "Start Docker, let your user reach its socket (group docker), or point DOCKER_HOST at another engine.",
        ) from error


def ensure_engine(progress: Progress) -> Engine:
    """Return the engine that answers; without one, install and start it as root on Debian.

    An engine named by DOCKER_HOST is never replaced by another.

    Raises:
        EngineUnavailableError: none answers and none could be started, as in an unprivileged container.
    """
    try:
        return find_engine()
    except EngineUnavailableError:
        if "DOCKER_HOST" in os.environ or not may_install():
            raise
    try:
        ensure_program(DAEMON, progress)
    except ProgramMissingError as error:
        raise EngineUnavailableError(error.what, error.remedy) from error
    try:
        return find_engine()  # the package may have started it, or brought the command to an engine that ran already
    except EngineUnavailableError:
        _start(progress)
    return find_engine()


def _start(progress: Progress) -> None:
    with step(progress, "Starting the Docker engine"):
        if not os.path.isdir(SYSTEMD):  # noqa: PTH112 - the sentence systemd's own documentation gives: sd_booted(3)
            start_daemon()
            return
        try:
            run(["systemctl", "start", "docker"], progress)
        except CommandFailedError as error:
            raise EngineUnavailableError(
                f"systemd could not start Docker: {error.last_words}.", "Read `journalctl -u docker`."
            ) from error
