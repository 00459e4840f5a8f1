"""The firewall's rules, set in a network namespace of the test's own: the machine's stay as they are."""

import subprocess
import sys
from pathlib import Path

import pytest

# Says what is missing, and what the rules are; sets them with each `ensure`.
STEPS = """
import os, subprocess, sys
from ipaddress import IPv4Network
from windlass.provisioning.firewall import ensure_firewall, missing_rules
from windlass.provisioning.progress import Silence

def sh(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout

sh("ip", "link", "set", "lo", "up")
one, other = IPv4Network("10.192.0.0/10"), IPv4Network("10.128.0.0/16")
"""


def in_own_network(steps: str) -> str:
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-c", STEPS + steps], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_rules_are_set_once_and_found_again() -> None:
    said = in_own_network("""
assert any("169.254.0.0/16" in rule for rule in missing_rules(one))
ensure_firewall(one, Silence())
first = sh("iptables", "-w", "-S"), sh("ip6tables", "-w", "-S")
ensure_firewall(one, Silence())
assert (sh("iptables", "-w", "-S"), sh("ip6tables", "-w", "-S")) == first
assert missing_rules(one) == []
print(*first)
""")
    for address in ("169.254.0.0/16", "100.100.100.200/32", "192.0.0.192/32", "168.63.129.16/32", "fd00:ec2::254/128"):
        assert f"-A WINDLASS -d {address} -j REJECT" in said
    assert "-A INPUT -s 10.192.0.0/10 -j WINDLASS" in said


def test_two_installations_with_pools_of_their_own_leave_each_others_rules() -> None:
    in_own_network("""
ensure_firewall(one, Silence())
ensure_firewall(other, Silence())
assert missing_rules(one) == missing_rules(other) == []
""")


def test_rule_that_somebody_removed_is_named_and_comes_back_and_foreign_ones_stay() -> None:
    in_own_network("""
sh("iptables", "-w", "-N", "DOCKER-USER")
sh("iptables", "-w", "-A", "DOCKER-USER", "-s", "192.168.7.0/24", "-j", "DROP")
ensure_firewall(one, Silence())
sh("iptables", "-w", "-D", "WINDLASS", "-d", "169.254.0.0/16", "-j", "REJECT", "--reject-with", "icmp-admin-prohibited")
sh("iptables", "-w", "-D", "DOCKER-USER", "-s", "10.192.0.0/10", "-j", "WINDLASS")
assert len(missing_rules(one)) == 2, missing_rules(one)
ensure_firewall(one, Silence())
assert missing_rules(one) == []
assert "-A DOCKER-USER -s 192.168.7.0/24 -j DROP" in sh("iptables", "-w", "-S")
""")


@pytest.mark.parametrize(
    ("ground", "sentence"),
    [
        ("os.setuid(65534)", "Only root can see and set the firewall's rules. Run: sudo "),
        ("os.environ['PATH'] = '/nonexistent'", "This machine has no iptables."),
        ("os.environ['PATH'] = '{broken}:' + os.environ['PATH']", "could not be set: no such table."),
    ],
)
def test_what_stands_in_the_way_is_said_with_the_way_out(tmp_path: Path, ground: str, sentence: str) -> None:
    broken = tmp_path / "iptables"
    broken.write_text("#!/bin/sh\necho no such table >&2; exit 3\n")
    broken.chmod(0o755)
    (tmp_path / "iptables-restore").symlink_to(broken)
    said = in_own_network(f"""
from windlass.provisioning.errors import FirewallError
{ground.format(broken=tmp_path)}
try:
    ensure_firewall(one, Silence())
except FirewallError as error:
    print(error)
""")
    assert sentence in said
