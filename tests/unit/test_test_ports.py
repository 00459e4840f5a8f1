"""Ports of tests are given once, and are none that the kernel gives to clients."""

import subprocess
import sys
from pathlib import Path

from support.ports import free_port

_TAKE = "from support.ports import _claimed; import sys; sys.exit(_claimed(int(sys.argv[1])))"


def test_a_port_is_given_to_one_test_of_the_machine_and_to_no_client() -> None:
    given = {free_port() for _ in range(50)}
    first, _ = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    assert len(given) == 50
    assert max(given) < int(first)
    elsewhere = [sys.executable, "-c", _TAKE, str(given.pop())]
    assert subprocess.run(elsewhere, check=False, cwd=Path(__file__).parents[1]).returncode == 0, "nobody else has it"
