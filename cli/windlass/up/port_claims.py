"""Ports that one `windlass up` keeps for itself before anything listens there: no other one chooses them."""

import errno
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PortClaims:
    """What is claimed by this process. Made by `port_claims`.

    A claim is a name among the kernel's abstract sockets, which are of one network namespace, as ports are, and gone
    with the process. Elsewhere than on Linux there are none, and two starts at the same moment may still meet.
    """

    _names: dict[int, socket.socket] = field(default_factory=dict)

    def take(self, port: int) -> bool:
        """Claim a port, and return whether it is ours."""
        if sys.platform != "linux" or port in self._names:
            return True
        name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            name.bind(f"\0windlass-port-{port}")
        except OSError as error:
            name.close()
            if error.errno != errno.EADDRINUSE:
                raise
            return False
        self._names[port] = name
        return True


@contextmanager
def port_claims() -> Iterator[PortClaims]:
    """Hold claims for as long as the block lasts."""
    names: dict[int, socket.socket] = {}
    try:
        yield PortClaims(names)
    finally:
        for name in names.values():
            name.close()
