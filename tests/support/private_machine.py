"""A machine of one's own on this one: its own processes, network and Docker engine, which die and come back at once.

The engine of this machine is everybody's: nobody may stop it. Here `kill_engine` kills the engine alone, its containers
live on or not as Docker has it; `power_off` kills every process of the machine between two instructions, the engine and
all containers with it, and takes its bridges, firewall rules and /run away; `boot` starts it again, on the same disk.
"""

import ctypes
import os
import signal
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psutil

from support.shared_images import share_image
from windlass.provisioning.daemon import start_daemon
from windlass.provisioning.engine import Engine

_NETWORK_NAMESPACE = 0x40000000
_BETWEEN_LOOKS_S = 0.05
_LIBC = ctypes.CDLL(None, use_errno=True)

# What the first process of the machine does before it only waits, and buries the dead. The cgroups stay those of this
# machine: a mount of one's own of /sys is needed for the network's devices alone.
_FIRST_PROCESS = """
set -e
cd "$1"
mkdir -p cgroup
mount --rbind /sys/fs/cgroup cgroup
mount -t sysfs sysfs /sys
mount --rbind cgroup /sys/fs/cgroup
mount -t tmpfs tmpfs /run
ip link set lo up
echo up
exec tini -s -- sleep infinity
"""

# Before each start of the engine: one that is stopped takes its mounts along, and one that finds its folders to be no
# mounts makes some of its own, which hide the layers.
_MOUNT_LAYERS = """
set -e
cd "$1"
shift
for folder in docker docker/overlay2; do mountpoint --quiet "$folder" || mount --bind "$folder" "$folder"; done
for layer in "$@"; do
  folder="docker/overlay2/$(basename "$layer")"
  mountpoint --quiet "$folder" || mount --bind "$layer" "$folder"
done
"""


@dataclass
class PrivateMachine:
    """`folder` is its disk; the path must be short, for there is a socket in it."""

    folder: Path
    _layers: list[Path] = field(default_factory=list, init=False)
    _first: "subprocess.Popen[str] | None" = field(default=None, init=False)
    _on: bool = field(default=False, init=False)

    def __enter__(self) -> Self:
        self.boot()
        return self

    def __exit__(self, *_: object) -> None:
        self.power_off()

    @property
    def url(self) -> str:
        """The engine's, in the form of DOCKER_HOST: it can be reached from everywhere on this machine."""
        return f"unix://{self.folder}/docker.sock"

    def boot(self) -> None:
        """Switch the machine on; its engine answers when this returns, and starts what it is to keep running."""
        (self.folder / "docker" / "overlay2").mkdir(parents=True, exist_ok=True)
        namespaces = ("--net", "--pid", "--mount", "--uts", "--fork", "--kill-child", "--mount-proc")
        self._first = subprocess.Popen(
            ["unshare", *namespaces, "--", "sh", "-c", _FIRST_PROCESS, "sh", str(self.folder)],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a signal that ends the run shall find the machine on
        )
        assert self._first.stdout is not None
        assert self._first.stdout.readline() == "up\n"
        self._on = True
        self.start_engine()

    def start_engine(self) -> None:
        for left in ("docker.sock", "docker.pid"):
            (self.folder / left).unlink(missing_ok=True)
        self._run_inside("sh", "-c", _MOUNT_LAYERS, "sh", str(self.folder), *map(str, self._layers))
        daemon = (
            "dockerd",
            "--default-address-pool",
            "base=10.64.0.0/10,size=24",
            f"--data-root={self.folder}/docker",
            "--exec-root=/run/docker",
            f"--pidfile={self.folder}/docker.pid",
            f"--host={self.url}",
        )
        start_daemon(self.inside(*daemon), self.folder / "dockerd.log")

    def stop_engine(self) -> None:
        """Stop the engine in order, with its containers, and wait until it is gone."""
        self._run_inside("sh", "-c", f"kill -TERM {self.engine}; tail --pid={self.engine} --follow /dev/null")

    def kill_engine(self) -> None:
        """Kill the engine as the kernel does when memory is short: without a word."""
        self._run_inside("sh", "-c", f"kill -KILL {self.engine}")

    @property
    def engine(self) -> int:
        """The engine's process, as the machine itself numbers it."""
        return int((self.folder / "docker.pid").read_text())

    def power_off(self) -> None:
        """Kill everything on the machine at once."""
        if self._first is None:
            return
        if self._on:
            first, self._on = self._init, False
            os.kill(first, signal.SIGKILL)
        while not _ended(self._first):
            _thaw(psutil.Process(self._first.pid).children(recursive=True))
        assert self._first.stdout is not None
        self._first.stdout.close()
        self._first = None

    def take_image(self, engine: Engine, tag: str) -> None:
        """Have an image of this machine's engine on this one too, before its first boot."""
        assert self._first is None, "the machine is on"
        self._layers += [
            layer for layer in share_image(engine, tag, self.folder / "docker") if layer not in self._layers
        ]

    def docker(self, *arguments: str) -> str:
        command = ["docker", "--host", self.url, *arguments]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @contextmanager
    def network(self) -> Iterator[None]:
        """Have this thread, and what it starts meanwhile, live in the machine's network."""
        with Path("/proc/thread-self/ns/net").open() as before:
            try:
                _enter(Path(f"/proc/{self._init}/ns/net"))
            except (ProcessLookupError, FileNotFoundError, ValueError) as error:
                raise ConnectionError("the machine goes off") from error
            try:
                yield
            finally:
                _set_namespace(before.fileno())

    @property
    def _init(self) -> int:
        """The first process, as this machine numbers it.

        Raises: ConnectionError: the machine is off.
        """
        first = self._first
        if first is None or not self._on:
            raise ConnectionError("the machine is off")
        return int(Path(f"/proc/{first.pid}/task/{first.pid}/children").read_text())

    def inside(self, *command: str) -> tuple[str, ...]:
        """Return the command that runs another one on the machine, with its network, processes and mounts."""
        return ("nsenter", "--target", str(self._init), "--net", "--pid", "--mount", "--uts", "--", *command)

    def _run_inside(self, *command: str) -> None:
        subprocess.run(self.inside(*command), check=True)


def _ended(process: "subprocess.Popen[str]") -> bool:
    try:
        process.wait(_BETWEEN_LOOKS_S)
    except subprocess.TimeoutExpired:
        return False
    return True


def _thaw(processes: Iterable[psutil.Process]) -> None:
    """Let those of paused containers die that were killed: by the first version of cgroups they wait for that."""
    for process in processes:
        with suppress(OSError):
            groups = Path(f"/proc/{process.pid}/cgroup").read_text().splitlines()
            for group in (line.split(":", 2)[2] for line in groups if line.split(":")[1] == "freezer"):
                if group != "/":
                    Path("/sys/fs/cgroup/freezer", group[1:], "freezer.state").write_text("THAWED")


def _enter(namespace: Path) -> None:
    with namespace.open() as file:
        _set_namespace(file.fileno())


def _set_namespace(descriptor: int) -> None:
    if _LIBC.setns(descriptor, _NETWORK_NAMESPACE) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
