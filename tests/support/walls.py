"""What hostile code tries from inside of a container, and what it must not find: a program, and servers as bait."""

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

# Like the addresses of clouds' metadata, and nobody's: to take one of those would cut the machine off from its cloud.
METADATA = "169.254.77.77"
METADATA_PORT, DOCKER_PORT = 80, 2375

PROGRAM = r"""
import concurrent.futures, ctypes, errno, json, os, socket, sys

def reach(target):
    host, _, port = target.rpartition(":")
    try:
        socket.create_connection((host, int(port)), 1).close()
    except OSError as error:
        return errno.errorcode.get(error.errno, "ETIMEDOUT")
    return "open"

def fails(action):
    try:
        action()
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"

libc = ctypes.CDLL(None, use_errno=True)

def call(name, *arguments):
    if getattr(libc, name)(*arguments):
        raise OSError(ctypes.get_errno(), name)

def lines_of(path):
    return list(open(path)) if os.path.exists(path) else []

def status(name):
    return next(line.split()[1] for line in lines_of("/proc/self/status") if line.startswith(name + ":"))

def name_of(pid):
    return "".join(lines_of(f"/proc/{pid}/comm")).strip()

def some_of(path):
    try:
        return os.path.exists(path) and open(path, "rb").read(64) != b""
    except OSError:
        return False

CGROUP = "memory/" if os.path.isdir("/sys/fs/cgroup/memory") else ""

with concurrent.futures.ThreadPoolExecutor(32) as pool:
    reached = dict(zip(sys.argv[1:], pool.map(reach, sys.argv[1:])))
said = {
    "reached": reached,
    "uid": os.getuid(),
    "capabilities": [status("CapEff"), status("CapPrm"), status("CapBnd")],
    "no_new_privileges": status("NoNewPrivs"),
    "seccomp": status("Seccomp"),
    "become_root": fails(lambda: os.setuid(0)),
    "mount": fails(lambda: call("mount", b"none", b"/mnt", b"tmpfs", 0, None)),
    "new_namespace": fails(lambda: call("unshare", 0x10000000)),
    "write_sys": fails(lambda: os.mkdir("/sys/x")),
    "write_proc": fails(lambda: open("/proc/sys/kernel/hostname", "r+").write("x")),
    "write_cgroup": fails(lambda: os.mkdir(f"/sys/fs/cgroup/{CGROUP}x")),
    "secrets_of_the_kernel": [path for path in ("/proc/kcore", "/proc/keys", "/proc/timer_list") if some_of(path)],
    "devices": sorted(name for name in os.listdir("/dev") if name.startswith(("sd", "vd", "nvme", "mem", "kmsg"))),
    "others": sorted(name_of(pid) for pid in os.listdir("/proc") if pid.isdigit() and int(pid) != os.getpid()),
    "docker_socket": any(map(os.path.exists, ("/var/run/docker.sock", "/run/docker.sock", "/run/containerd"))),
    "routes_6": [line for line in lines_of("/proc/net/ipv6_route") if line.split()[-1] != "lo"],
}
print("FOUND " + json.dumps(said), flush=True)
"""


@contextmanager
def bait() -> Iterator[None]:
    """Listen where cloud metadata would be, and where the Docker API may be: both on every bridge of this machine."""
    address = ["ip", "address", "%s", f"{METADATA}/32", "dev", "lo"]
    with ExitStack() as stack:
        subprocess.run([word.replace("%s", "replace") for word in address], check=True)
        stack.callback(subprocess.run, [word.replace("%s", "delete") for word in address], check=False)
        stack.enter_context(_listening(METADATA, METADATA_PORT))
        stack.enter_context(_listening("", DOCKER_PORT))
        yield


@contextmanager
def _listening(host: str, port: int) -> Iterator[None]:
    with socket.create_server((host, port)) as server:
        taking = threading.Thread(target=_take, args=(server,), daemon=True)
        taking.start()
        yield
        server.shutdown(socket.SHUT_RDWR)
        taking.join()


def _take(server: socket.socket) -> None:
    while True:
        try:
            server.accept()[0].close()
        except OSError:
            return
