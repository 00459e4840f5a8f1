"""Ports for servers of tests."""

import random
import socket

# Below those that the kernel hands out by itself, to clients too, and below those of apps that are processes.
_PORTS = range(10_000, 20_000)


def free_port() -> int:
    """Return a loopback TCP port that nobody listens on, and that no other test of this machine is given."""
    while True:
        port = random.choice(_PORTS)  # noqa: S311 - so that few try the same
        if _claimed(port):
            return port


def _claimed(port: int) -> bool:
    """Claim a port for the life of this process, by a name that the kernel gives to one; False where that is late."""
    with socket.socket(socket.AF_UNIX) as claim, socket.socket() as probe:
        try:
            claim.bind(f"\0windlass-tests-port-{port}")
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        claim.detach()
        return True
