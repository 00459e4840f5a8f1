"""The firewall's rules for what containers must not reach: `python -m windlass.provisioning.firewall`, as root.

One chain, the same for every installation of this machine, so that none takes away another's; what leads into it is one
jump for each pool of subnets, and one for the engine's own bridge, on which BuildKit runs the steps of Dockerfiles. The
chain is filled in one transaction. See docs/decisions/0034-firewall.md.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

from windlass.provisioning.commands import output_of, run
from windlass.provisioning.errors import CommandFailedError, FirewallError
from windlass.provisioning.progress import Progress, Silence, step

POOL = "10.192.0.0/10"
"""Of which the builder takes projects' subnets, unless WINDLASS_SUBNET_POOL says otherwise."""
ENGINE_BRIDGE = "docker0"
CHAIN = "WINDLASS"
_DOCKER_CHAIN = "DOCKER-USER"  # which the engine leaves alone, and asks before all rules of its own

_METADATA = (
    "169.254.0.0/16",  # link-local: AWS, Google, Azure, DigitalOcean, Hetzner, OpenStack; and AWS' keys for tasks
    "100.100.100.200/32",  # Alibaba
    "192.0.0.192/32",  # Oracle's older one
    "168.63.129.16/32",  # Azure's agent
)
_METADATA_6 = ("fd00:ec2::254/128", "fd20:ce::254/128")  # AWS, Google
_DOCKER_API = "2375,2376,2377"


@dataclass(frozen=True, slots=True)
class _Family:
    """One version of IP: its programs, what is in the chain, and by what matches the jumps into it choose."""

    program: str
    rules: tuple[str, ...]
    sources: tuple[str, ...]


def pool_of_projects() -> IPv4Network:
    """Return the pool that projects' subnets are taken from on this machine."""
    return IPv4Network(os.environ.get("WINDLASS_SUBNET_POOL", POOL))


def by_hand() -> str:
    """Return the command that sets the rules, for whoever is root."""
    pool = os.environ.get("WINDLASS_SUBNET_POOL")
    setting = f"WINDLASS_SUBNET_POOL={pool} " if pool else ""
    return f"sudo {setting}{sys.executable} -m windlass.provisioning.firewall"


def ensure_firewall(pool: IPv4Network, progress: Progress) -> None:
    """Set the rules, unless they are there.

    Raises:
        FirewallError: this machine has no iptables, or we may not use it.
    """
    if not missing_rules(pool):
        return
    with step(progress, "Closing cloud metadata and the Docker API to apps"):
        for family in _families(pool):
            try:
                _fill(family)
                for chain, jump in _jumps(family):
                    if not _has(family.program, chain, jump):
                        run([family.program, "-w", "-I", chain, *jump], Silence())
            except CommandFailedError as error:
                raise FirewallError(f"The firewall's rules could not be set: {error.last_words}.", _WAY_OUT) from error


def missing_rules(pool: IPv4Network) -> list[str]:
    """Return the rules that are not there, in the words of iptables.

    Raises:
        FirewallError: this machine has no iptables, or we may not look.
    """
    if shutil.which("iptables") is None:
        raise FirewallError("This machine has no iptables.", f"Install it, then run as root: {by_hand()}")
    if os.geteuid() != 0:
        raise FirewallError("Only root can see and set the firewall's rules.", f"Run: {by_hand()}")
    return [
        " ".join([family.program, "-A", chain, *rule])
        for family in _families(pool)
        for chain, rule in (*_inside(family), *_jumps(family))
        if not _has(family.program, chain, rule)
    ]


_WAY_OUT = (
    "Until they are, apps and builds reach what this machine reaches, such as its cloud's metadata."
    " Correct that, then start `windlass up` again."
)


def _families(pool: IPv4Network) -> Iterator[_Family]:
    reject = "REJECT --reject-with icmp-admin-prohibited"
    yield _Family(
        "iptables",
        (
            "-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN",  # apps answer the proxy here
            "-p udp -m udp --dport 53 -j RETURN",  # some clouds resolve names at the address of their metadata
            "-p tcp -m tcp --dport 53 -j RETURN",
            *(f"-d {address} -j {reject}" for address in _METADATA),
            f"-d 127.0.0.0/8 -j {reject}",  # where a kernel is told to route it
            f"-p tcp -m addrtype --dst-type LOCAL -m multiport --dports {_DOCKER_API} -j {reject}",
        ),
        (f"-s {pool}", f"-i {ENGINE_BRIDGE}"),
    )
    if Path("/proc/net/if_inet6").exists() and shutil.which("ip6tables") is not None:
        reject = "REJECT --reject-with icmp6-adm-prohibited"
        # Projects' networks have no IPv6; the engine's own may have.
        rules = tuple(f"-d {address} -j {reject}" for address in _METADATA_6)
        yield _Family("ip6tables", rules, (f"-i {ENGINE_BRIDGE}",))


def _inside(family: _Family) -> Iterator[tuple[str, list[str]]]:
    for rule in family.rules:
        yield CHAIN, rule.split()


def _jumps(family: _Family) -> Iterator[tuple[str, list[str]]]:
    """Yield the jumps: for what passes through this machine, and for what is meant for itself."""
    passing = _DOCKER_CHAIN if _chain_exists(family.program, _DOCKER_CHAIN) else "FORWARD"
    for chain in (passing, "INPUT"):
        for source in family.sources:
            yield chain, [*source.split(), "-j", CHAIN]


def _fill(family: _Family) -> None:
    lines = ["*filter", f":{CHAIN} - [0:0]", *(f"-A {CHAIN} {rule}" for rule in family.rules), "COMMIT", ""]
    with tempfile.TemporaryFile() as transaction:
        transaction.write("\n".join(lines).encode())
        transaction.seek(0)
        run([f"{family.program}-restore", "-w", "--noflush"], Silence(), stdin=transaction)


def _chain_exists(program: str, chain: str) -> bool:
    return _succeeds([program, "-w", "-n", "-L", chain])


def _has(program: str, chain: str, rule: list[str]) -> bool:
    return _succeeds([program, "-w", "-C", chain, *rule])


def _succeeds(command: list[str]) -> bool:
    try:
        output_of(command)
    except CommandFailedError:
        return False
    return True


if __name__ == "__main__":
    try:
        ensure_firewall(pool_of_projects(), Silence())
    except FirewallError as error:
        sys.exit(str(error))
