"""Which ports an installation takes, and what it says where it cannot have them."""

import json
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from windlass.up.errors import PortError
from windlass.up.port_claims import port_claims
from windlass.up.ports import LOOPBACK, PortRequests, Ports, choose_ports

FreePort = Callable[[], int]


def chosen(requests: PortRequests, remembered: Path) -> Ports:
    with port_claims() as claims:
        return choose_ports(requests, remembered, claims)


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server((LOOPBACK, 0)) as server:
        yield server.getsockname()[1]


def test_ports_chosen_once_are_taken_again(tmp_path: Path, free_port: FreePort) -> None:
    remembered = tmp_path / "ports.json"
    public, nats = free_port(), free_port()
    first = chosen(PortRequests(public, nats=nats), remembered)

    assert chosen(PortRequests(), remembered) == first


def test_the_public_port_of_the_last_start_is_never_replaced(tmp_path: Path, taken: int) -> None:
    remembered = tmp_path / "ports.json"
    remembered.write_text(json.dumps({"public": taken}))

    with pytest.raises(PortError, match=f"Port {taken} is in use"):
        chosen(PortRequests(), remembered)


def test_a_remembered_port_that_somebody_took_is_replaced(tmp_path: Path, free_port: FreePort, taken: int) -> None:
    remembered = tmp_path / "ports.json"
    remembered.write_text(json.dumps({"nats": taken}))

    ports = chosen(PortRequests(free_port()), remembered)

    assert ports.nats != taken
    assert len({ports.public, ports.gateway, ports.nats, ports.traefik_api}) == 4


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"nats": "x"}', '{"gateway": 1e9}'])
def test_a_damaged_memory_of_ports_is_no_obstacle(tmp_path: Path, free_port: FreePort, content: str) -> None:
    remembered = tmp_path / "ports.json"
    remembered.write_text(content)

    assert chosen(PortRequests(free_port()), remembered)


@pytest.mark.parametrize(
    ("request_for", "option"),
    [
        (lambda port, _free: PortRequests(port), "--port"),
        (lambda port, free: PortRequests(free, gateway=port), "--gateway-port"),
        (lambda port, free: PortRequests(free, nats=port), "--nats-port"),
        (lambda port, free: PortRequests(free, traefik_api=port), "--traefik-api-port"),
    ],
)
def test_a_port_that_was_asked_for_and_is_in_use_is_refused(
    tmp_path: Path, free_port: FreePort, taken: int, request_for: Callable[[int, int], PortRequests], option: str
) -> None:
    with pytest.raises(PortError) as refusal:
        chosen(request_for(taken, free_port()), tmp_path / "ports.json")

    assert f"Port {taken} is in use by" in refusal.value.what
    assert str(os.getpid()) in refusal.value.what
    assert f"with {option}." in refusal.value.remedy


def test_one_port_for_two_things_is_refused(tmp_path: Path, free_port: FreePort) -> None:
    port = free_port()

    with pytest.raises(PortError, match="twice"):
        chosen(PortRequests(port, nats=port), tmp_path / "ports.json")


def test_an_address_that_is_not_of_this_machine_is_refused(tmp_path: Path, free_port: FreePort) -> None:
    with pytest.raises(PortError, match="--listen"):
        chosen(PortRequests(free_port(), listen="192.0.2.1"), tmp_path / "ports.json")


def test_two_starts_at_the_same_moment_never_choose_the_same_ports(tmp_path: Path, free_port: FreePort) -> None:
    with port_claims() as claims, port_claims() as others:
        one = choose_ports(PortRequests(free_port()), tmp_path / "one.json", claims)
        other = choose_ports(PortRequests(free_port()), tmp_path / "other.json", others)
        with pytest.raises(PortError, match=f"Port {one.public} is in use"):
            choose_ports(PortRequests(one.public), tmp_path / "third.json", others)

    assert {one.gateway, one.nats, one.traefik_api}.isdisjoint({other.gateway, other.nats, other.traefik_api})
