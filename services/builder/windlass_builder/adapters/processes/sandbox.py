"""What stands between an app that runs as a process and this machine: bubblewrap where it works, else nothing.

As root each runner gets a user id of its own. bubblewrap then starts as that user, who may not be able to walk to the
platform's folder (/root, for one): what it needs is first bound below /mnt, in a mount namespace of its own.
"""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from windlass_builder.adapters.processes.supervision.order import Order
from windlass_builder.domain.workloads import Console, Limits

APP_FOLDER = "/app"
_TOOLS_FOLDER = "/windlass"
_USER_INSIDE = "10001"
_SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"
_ETC = [
    "alternatives",
    "ca-certificates",
    "group",
    "hosts",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "nsswitch.conf",
    "passwd",
    "pip.conf",
    "protocols",
    "resolv.conf",
    "services",
    "ssl",
    "uv",
]
# Pairs of folder and name, then `--` and the command. Absolute paths: root trusts no search path.
_STAGE = """set -e
/usr/bin/mount -t tmpfs -o mode=0755 windlass /mnt
while [ "$1" != -- ]; do
  if [ -d "$1" ]; then /usr/bin/mkdir "/mnt/$2"; else : > "/mnt/$2"; fi
  /usr/bin/mount --bind "$1" "/mnt/$2"
  shift 2
done
shift
exec "$@"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a command runs: the app's folder, what else it may write (inside -> outside), interpreters, and tools."""

    app: Path
    writable: Mapping[str, Path] = field(default_factory=dict)
    programs: tuple[Path, ...]
    """The folders that interpreters are installed in, seen where they are outside too."""
    tools: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Whose a command is and what it may use; `user` is None where this process is no root."""

    user: int | None
    limits: Limits
    file_size: int | None = None
    niceness: int = 0


class Sandbox(Protocol):
    @property
    def isolation(self) -> str: ...

    @property
    def mounts(self) -> bool:
        """Whether a command finds what it may write at the paths inside, whatever these are."""
        ...

    def seen(self, place: Place, inside: str) -> str:
        """Return the path under which a command in the place finds what it knows as `inside`."""
        ...

    def order(self, place: Place, script: str, environment: Mapping[str, str], usage: Usage) -> Order:
        """Return the order to run the script by `sh -c` in the place's app folder."""
        ...


class Bubblewrap:
    """User, process, IPC and host name of its own; /usr read-only; the network is the machine's."""

    @property
    def isolation(self) -> str:
        return (
            "Apps run as plain processes in bubblewrap: for trying out, with code that you trust. They do not see each "
            "other's files and processes, but share this machine's network and CPU."
        )

    @property
    def mounts(self) -> bool:
        return True

    def seen(self, place: Place, inside: str) -> str:
        del place
        return inside

    def order(self, place: Place, script: str, environment: Mapping[str, str], usage: Usage) -> Order:
        outside = {APP_FOLDER: place.app, _TOOLS_FOLDER: place.tools, **place.writable}
        outside |= {str(prefix): prefix for prefix in place.programs if not prefix.is_relative_to("/usr")}
        names = {inside: f"{number}" for number, inside in enumerate(outside)}
        staged = usage.user is not None
        sources = {inside: f"/mnt/{names[inside]}" if staged else str(path) for inside, path in outside.items()}
        command = [*_bubblewrap(sources, place), *_limited(usage.limits), "/bin/sh", "-c", script]
        if usage.user is not None:
            pairs = [part for inside, path in outside.items() for part in (str(path), names[inside])]
            command = [*_staged(pairs, usage.user), *command]
        whole = {**_search_path(APP_FOLDER, _TOOLS_FOLDER), **environment}
        return Order(
            command=command,
            environment={"PATH": _SYSTEM_PATH},
            secrets="".join(f"--setenv\0{name}\0{value}\0" for name, value in whole.items()),
            folder="/",
            user=None,  # where there is one, the stage changes to it, for root alone may mount
            memory=usage.limits.memory,
            threads=usage.limits.pids,
            file_size=usage.file_size,
            niceness=usage.niceness,
            wrappers=2,  # bubblewrap, and its first process inside
        )


class Plain:
    """Nothing but a user id, where this process is root; elsewhere nothing at all."""

    @property
    def isolation(self) -> str:
        return (
            "Apps run as plain processes without any sandbox, for bubblewrap does not work here: for trying out, with "
            "code that you trust as you trust Windlass itself."
        )

    @property
    def mounts(self) -> bool:
        return False

    def seen(self, place: Place, inside: str) -> str:
        return str({APP_FOLDER: place.app, **place.writable}.get(inside, Path(inside)))

    def order(self, place: Place, script: str, environment: Mapping[str, str], usage: Usage) -> Order:
        return Order(
            command=["/bin/sh", "-c", script],
            environment={**_search_path(str(place.app), str(place.tools)), **environment},
            secrets="",
            folder=str(place.app),
            user=usage.user,
            memory=usage.limits.memory,
            threads=usage.limits.pids,
            file_size=usage.file_size,
            niceness=usage.niceness,
            wrappers=0,
        )


def with_console(order: Order, console: Console) -> Order:
    """Return the order for a command whose input and outputs are somebody's.

    Its terminal is that of a session of its own, inside: what Ctrl-C ends there is the command, not the sandbox. The
    session in front of it (`--new-session`) has none, so nothing can be typed into any other terminal.
    """
    if not console.terminal:
        return order._replace(console=[])
    shell = order.command.index("/bin/sh", -3)
    command = [*order.command[:shell], "/usr/bin/setsid", "--ctty", "--wait", *order.command[shell:]]
    return order._replace(command=command, console=[console.rows, console.columns], wrappers=order.wrappers + 1)


def best_sandbox() -> Sandbox:
    """Return bubblewrap where a trial shows that it works, in the way it is going to be used."""
    root = os.geteuid() == 0
    trial = ["/usr/bin/bwrap", "--unshare-all", "--ro-bind", "/", "/", "/usr/bin/prlimit", "--nproc=9", "/usr/bin/true"]
    command = [*_staged([], 65_534), *trial] if root else trial
    try:
        works = subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603 - constants
    except FileNotFoundError:
        works = False
    return Bubblewrap() if works else Plain()


def _staged(pairs: list[str], user: int) -> list[str]:
    identity = [f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    namespace = ["/usr/bin/unshare", "--mount", "--propagation=private"]
    return [*namespace, "/bin/sh", "-c", _STAGE, "stage", *pairs, "--", "/usr/bin/setpriv", *identity]


def _bubblewrap(sources: Mapping[str, str], place: Place) -> list[str]:
    command = ["/usr/bin/bwrap", "--unshare-all", "--share-net", "--die-with-parent", "--new-session", "--clearenv"]
    command += ["--uid", _USER_INSIDE, "--gid", _USER_INSIDE, "--hostname", "app", "--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64"):
        if Path(f"/{name}").is_symlink():
            command += ["--symlink", str(Path(f"/{name}").readlink()), f"/{name}"]
        else:
            command += ["--ro-bind-try", f"/{name}", f"/{name}"]
    for name in _ETC:
        command += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    command += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]  # noqa: S108 - inside the sandbox
    for inside, source in sources.items():
        writable = inside == APP_FOLDER or inside in place.writable
        command += ["--bind" if writable else "--ro-bind", source, inside]
    return [*command, "--chdir", APP_FOLDER, "--args", "{secrets}"]


def _limited(limits: Limits) -> list[str]:
    """Inside, where the user's processes are counted apart from all others of this machine."""
    return ["/usr/bin/prlimit", f"--nproc={limits.pids + 1}:{limits.pids + 1}"]


def _search_path(app: str, tools: str) -> dict[str, str]:
    return {"PATH": f"{app}/.venv/bin:{app}/node_modules/.bin:{tools}:{_SYSTEM_PATH}"}
