"""How many connections this machine has open to an address, as Linux tells it.

The tables are those of the network that this process is in: where that is the machine's own, the proxy's connections
to containers are in them, and so are those to processes on loopback. Both ends of a connection on loopback are listed;
the end that called counts. Source: https://docs.kernel.org/networking/proc_net_tcp.html
"""

import sys
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from windlass_builder.domain.workloads import Address

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_ESTABLISHED = "01"
_REMOTE, _STATE = 2, 3
_WORD = 4


def open_connections(address: Address, tables: Iterable[Path] = _TABLES) -> int | None:
    """Return how many connections to the address are open; None where nothing tells."""
    found = [text for table in tables if (text := _read(table)) is not None]
    return sum(connections_in(text, address) for text in found) if found else None


def connections_in(table: str, address: Address) -> int:
    """Return how many established connections to the address a table of the kernel lists."""
    ends = _spellings(address)
    rows = (line.split() for line in table.splitlines()[1:])
    return sum(row[_STATE] == _ESTABLISHED and row[_REMOTE] in ends for row in rows if len(row) > _STATE)


def _read(table: Path) -> str | None:
    try:
        return table.read_text(encoding="ascii")
    except OSError:
        return None


def _spellings(address: Address) -> frozenset[str]:
    """Return how the tables write the address: an IPv4 address may stand in both of them."""
    host = ip_address(address.host)
    hosts: list[IPv4Address | IPv6Address] = (
        [host, IPv6Address(f"::ffff:{host}")] if isinstance(host, IPv4Address) else [host]
    )
    return frozenset(f"{_hexadecimal(one.packed)}:{address.port:04X}" for one in hosts)


def _hexadecimal(packed: bytes) -> str:
    """Return the address as the kernel prints it: in words of four bytes, each in the machine's own order."""
    words = (packed[start : start + _WORD] for start in range(0, len(packed), _WORD))
    return "".join(f"{int.from_bytes(word, sys.byteorder):08X}" for word in words)
