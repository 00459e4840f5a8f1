"""The kernel's tables of connections are read as it writes them."""

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass_builder.adapters.connections import connections_in
from windlass_builder.domain.workloads import Address

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
APP = Address("10.192.0.7", 8000)


def spelled(host: str) -> str:
    """Return an IPv4 address as the kernel prints it: as one number of this machine."""
    return f"{struct.unpack('=I', socket.inet_aton(host))[0]:08X}"


def row(remote: str, port: int, state: str = "01", local: str = "0100007F") -> str:
    return f"   0: {local}:C350 {remote}:{port:04X} {state} 00000000:00000000 00:00000000 00000000     0        0 1 1\n"


@pytest.mark.parametrize(
    ("table", "found"),
    [
        ("", 0),
        (HEAD, 0),
        (HEAD + row(spelled("10.192.0.7"), 8000), 1),
        (HEAD + row(spelled("10.192.0.7"), 8000) * 3 + row(spelled("10.192.0.8"), 8000), 3),
        (HEAD + row(spelled("10.192.0.7"), 8001), 0),
        (HEAD + row(spelled("10.192.0.7"), 8000, state="06"), 0),
        (HEAD + row(spelled("10.192.0.7"), 8000, state="08"), 0),
        (HEAD + row(spelled("127.0.0.1"), 50000, local=spelled("10.192.0.7")), 0),
        (HEAD + row("0000000000000000" + f"{struct.unpack('=I', bytes([0, 0, 255, 255]))[0]:08X}", 1), 0),
        (HEAD + row(f"{0:016X}{struct.unpack('=I', bytes([0, 0, 255, 255]))[0]:08X}{spelled('10.192.0.7')}", 8000), 1),
    ],
)
def test_established_connections_to_the_address_count(table: str, found: int) -> None:
    assert connections_in(table, APP) == found


def test_an_address_of_the_sixth_version_is_found_too() -> None:
    words = struct.unpack("=4I", socket.inet_pton(socket.AF_INET6, "fd00::2"))
    assert connections_in(HEAD + row("".join(f"{word:08X}" for word in words), 80), Address("fd00::2", 80)) == 1


@given(st.text())
def test_a_table_of_another_form_counts_nothing(table: str) -> None:
    assert connections_in(table, Address("10.192.0.7", 1)) == 0
