"""Which TCP ports an installation listens on: asked for, remembered from the last start, or free."""

import errno
import json
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

from windlass.up.atomic_file import write_private
from windlass.up.errors import PortError
from windlass.up.port_claims import PortClaims

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class PortRequests:
    """What the options say: `None` leaves the choice to us. `listen` is the address of the public port alone."""

    public: int | None = None
    listen: str = LOOPBACK
    gateway: int | None = None
    nats: int | None = None
    traefik_api: int | None = None


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of this start; all but `public` listen on loopback."""

    public: int
    gateway: int
    nats: int
    traefik_api: int


_PUBLIC = 8080
_PREFERRED = {"gateway": 8090, "nats": 4222, "traefik_api": 8091}


def choose_ports(requests: PortRequests, remembered: Path, claims: PortClaims) -> Ports:
    """Return ports that are free now and claimed by nobody else, and remember them.

    The public one is part of the apps' addresses: unless asked for, it is that of the last start, never another.

    Raises:
        PortError: a port that was asked for, or the public one, cannot be listened on.
    """
    asked = {"gateway": requests.gateway, "nats": requests.nats, "traefik_api": requests.traefik_api}
    last = _remembered(remembered)
    public = requests.public or last.get("public", _PUBLIC)
    _refuse_duplicates([public, *(port for port in asked.values() if port is not None)])
    _claim(claims, requests.listen, public, "--port")
    taken = {public}
    chosen: dict[str, int] = {}
    for name, port in asked.items():
        if port is not None:
            _claim(claims, LOOPBACK, port, f"--{name.replace('_', '-')}-port")
            chosen[name] = port
        else:
            chosen[name] = _first_free(claims, (last.get(name), _PREFERRED[name]), taken)
        taken.add(chosen[name])
    ports = Ports(public=public, **chosen)
    write_private(remembered, json.dumps(asdict(ports)))
    return ports


def remembered_ports(path: Path) -> Ports:
    """Return the ports of the last start, whether they are free or not; the preferred ones, where none is known."""
    last = {"public": _PUBLIC, **_PREFERRED, **_remembered(path)}
    return Ports(**{name: last[name] for name in ("public", *_PREFERRED)})


def _remembered(path: Path) -> dict[str, int]:
    """Return the ports of the last start; they are a preference, so a file that is missing or damaged is no harm."""
    try:
        content = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return {name: port for name, port in content.items() if isinstance(port, int)} if isinstance(content, dict) else {}


def _refuse_duplicates(ports: list[int]) -> None:
    for port in ports:
        if ports.count(port) > 1:
            raise PortError(f"Port {port} is asked for twice.", "Give each of the port options another number.")


def _first_free(claims: PortClaims, wishes: tuple[int | None, ...], taken: set[int]) -> int:
    for wish in wishes:
        if wish is not None and wish not in taken and _refusal(claims, LOOPBACK, wish) is None:
            return wish
    while not claims.take(free := _any_free()):
        pass
    return free


def _any_free() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        free: int = probe.getsockname()[1]
        return free


def _claim(claims: PortClaims, address: str, port: int, option: str) -> None:
    refusal = _refusal(claims, address, port)
    if refusal is None:
        return
    if refusal.errno == errno.EADDRINUSE:
        raise PortError(f"Port {port} is in use{_by_whom(port)}.", f"Stop that, or choose another with {option}.")
    if refusal.errno == errno.EACCES:
        raise PortError(f"Port {port} is for root alone.", f"Choose one above 1023 with {option}.")
    raise PortError(f"{address}:{port} cannot be listened on: {refusal.strerror}.", "Correct --listen.")


def _refusal(claims: PortClaims, address: str, port: int) -> OSError | None:
    """Try the port as our servers do (SO_REUSEADDR: one that has just been closed is no obstacle), and claim it."""
    try:
        family = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except OSError as error:
        return error
    return None if claims.take(port) else OSError(errno.EADDRINUSE, "another `windlass up` has chosen it")


def _by_whom(port: int) -> str:
    import psutil  # noqa: PLC0415 - only this error needs it, and it costs every start 2 MiB

    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    except psutil.Error:  # not allowed to look, or it ended meanwhile: the port's number still stands
        return ""
    return ""
