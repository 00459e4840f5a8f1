"""The public port always has a listener: who connects while the proxy is away, or has no routes yet, waits.

Two sockets listen on the port (SO_REUSEPORT), ours and the proxy's, and a program of ours tells the kernel which of
them a new connection goes to. Ours drops all that comes, so that the other side's TCP asks again, at first after a
second: nobody is refused, nobody is answered too early, and nothing passes through this process. When the proxy dies,
its socket is gone at that moment, and ours is what is left. See docs/decisions/0027-front-door.md, and
SO_REUSEPORT, SO_ATTACH_REUSEPORT_CBPF and SO_ATTACH_FILTER in https://man7.org/linux/man-pages/man7/socket.7.html.
"""

import ctypes
import errno
import ipaddress
import socket
import struct
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from windlass.up.errors import PortError

_ATTACH_FILTER, _ATTACH_REUSEPORT_CBPF = 26, 51  # of asm-generic/socket.h; the standard library does not name them
_OURS, _THEIRS = 0, 1  # by the order in which they began to listen; without theirs, any answer means ours
_IP = 0x1_0000_0000 - 0x100000  # SKF_NET_OFF: where the IP header begins, whatever came before it

_Instruction = tuple[int, int, int, int]
"""Of classic BPF: opcode, how far to jump if true, and if false, operand."""


def _return(value: int) -> _Instruction:
    return 0x06, 0, 0, value


def _from(source: tuple[str, int]) -> Sequence[_Instruction]:
    """Choose theirs for what comes from this port and in this version of IP without options, ours for all else."""
    address, port = source
    mask, version, length = (0xFF, 0x45, 20) if ipaddress.ip_address(address).version == 4 else (0xF0, 0x60, 40)  # noqa: PLR2004
    return (
        (0x30, 0, 0, _IP),  # load a byte
        (0x54, 0, 0, mask),  # and
        (0x15, 0, 3, version),  # jump if equal
        (0x28, 0, 0, _IP + length),  # load two bytes: the source port
        (0x15, 0, 1, port),
        _return(_THEIRS),
        _return(_OURS),
    )


class FrontDoor:
    """Who of those that connect reaches the proxy; without a socket of ours everybody does. Made by `front_door`."""

    def __init__(self, ours: socket.socket | None) -> None:
        self._ours = ours

    @property
    def is_shared(self) -> bool:
        """Whether the proxy has to share the port with us."""
        return self._ours is not None

    def shut(self) -> None:
        """Let everybody wait."""
        self._choose([_return(_OURS)])

    def open_for(self, source: tuple[str, int]) -> None:
        """Let in who comes from this address and port of this machine, and let all others wait."""
        self._choose(_from(source))

    def open(self) -> None:
        """Let everybody in, until the proxy dies; those that wait come in when they ask again."""
        self._choose([_return(_THEIRS)])

    def _choose(self, program: Sequence[_Instruction]) -> None:
        if self._ours is not None:
            _attach(self._ours, _ATTACH_REUSEPORT_CBPF, program)


@contextmanager
def front_door(listen: str, port: int) -> Iterator[FrontDoor]:
    """Let everybody wait at the port until it is opened, and refuse them again behind the block.

    Elsewhere than on Linux, and where its options are missing, there is no such door: the proxy has the port alone.

    Raises:
        PortError: the port cannot be listened on.
    """
    with socket.socket(_family(listen), socket.SOCK_STREAM) as ours:
        try:
            _prepare(ours)
        except OSError as error:
            if error.errno != errno.ENOPROTOOPT:
                raise
            yield FrontDoor(None)
            return
        try:
            ours.bind((listen if ours.family == socket.AF_INET or ":" in listen else "::", port))
            ours.listen()
        except OSError as error:
            raise PortError(f"{listen}:{port} cannot be listened on: {error.strerror}.", "Choose another.") from error
        door = FrontDoor(ours)
        door.shut()
        yield door


def _prepare(ours: socket.socket) -> None:
    if sys.platform != "linux":
        raise OSError(errno.ENOPROTOOPT, "only Linux lets us choose")
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if ours.family == socket.AF_INET6:
        ours.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    _attach(ours, _ATTACH_FILTER, [_return(0)])  # no byte of any packet


def _family(listen: str) -> socket.AddressFamily:
    """Return what Go takes for the address, and so Traefik: only equal sockets share a port."""
    address = ipaddress.ip_address(listen)
    if address.version == 6 or (address.is_unspecified and socket.has_dualstack_ipv6()):  # noqa: PLR2004
        return socket.AF_INET6
    return socket.AF_INET


def _attach(to: socket.socket, option: int, program: Sequence[_Instruction]) -> None:
    instructions = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *one) for one in program))
    to.setsockopt(socket.SOL_SOCKET, option, struct.pack("HP", len(program), ctypes.addressof(instructions)))
