"""What may stand in the proxy's configuration: plain host names and addresses, and nothing else whatever."""

import ipaddress
import json
import re
from functools import lru_cache

LONGEST_HOST = 253
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"({_LABEL}\.)+{_LABEL}")
_LAST_PORT = 65_535
_REMEMBERED = 10_000
"""Each change of routes has the rules and addresses of all the others in it, too."""


class UnsafeHostError(Exception):
    """A host or address that is none."""


def checked_host(host: str) -> str:
    """Return the host name: two labels or more of RFC 1123, in lower case, and no IP address.

    Raises:
        UnsafeHostError: it is none.
    """
    if len(host) > LONGEST_HOST or not _HOST.fullmatch(host) or host.rpartition(".")[2].isdigit():
        raise UnsafeHostError(f"{host[:LONGEST_HOST]!r} is no host name.")
    return host


@lru_cache(_REMEMBERED)
def host_rule(host: str) -> str:
    """Return the rule that a request for the host fulfils.

    Raises:
        UnsafeHostError: it is no host name.
    """
    return f"Host({json.dumps(checked_host(host))})"


@lru_cache(_REMEMBERED)
def server_url(address: str, port: int) -> str:
    """Return where a container answers.

    Raises:
        UnsafeHostError: it is no IP address, or no port.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        raise UnsafeHostError(f"{address[:LONGEST_HOST]!r} is no address of a container.") from None
    if str(ip) != address or not 1 <= port <= _LAST_PORT:
        raise UnsafeHostError(f"{address} port {port} is no address of a container in its shortest form.")
    return f"http://[{ip}]:{port}" if ":" in address else f"http://{ip}:{port}"
