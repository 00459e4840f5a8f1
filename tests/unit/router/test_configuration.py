"""The proxy's file holds nothing that is not ours: hosts and addresses are checked, templates are taken apart."""

import ipaddress
import json
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass_contracts.ids import DeploymentId
from windlass_router.domain.configuration import (
    Marker,
    OwnHost,
    Target,
    UnsafeRouteError,
    configuration,
    router_name,
)

OWN = OwnHost("windlass.localhost", 4000)
MARKER = Marker("/secret{{env}}", 7)


def target(*hosts: str, servers: tuple[tuple[str, int], ...] = (("10.0.0.2", 8000),)) -> Target:
    return Target(DeploymentId(uuid4()), hosts, servers)


@pytest.mark.parametrize(
    "host",
    [
        "a`b.localhost",
        'a"b.localhost',
        "*.localhost",
        "A.localhost",
        "a.localhost.",
        "ä.localhost",
        "localhost",
        "-a.b",
        "a-.b",
        "a" * 64 + ".b",
        "a..b",
        "a.b\n",
        "a.b || Host(`c.d`)",
        "",
        "10.0.0.1/x",
        "a.b" * 100,
    ],
)
def test_what_is_no_host_name_is_refused(host: str) -> None:
    with pytest.raises(UnsafeRouteError):
        configuration([target(host)], OWN, MARKER)


@pytest.mark.parametrize("address", ["localhost", "10.0.0.1/evil", "10.0.0.1@x", "", "10.0.0.256", "a b"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(UnsafeRouteError):
        configuration([target("a.localhost", servers=((address, 80),))], OWN, MARKER)


@pytest.mark.parametrize("host", ["windlass.localhost", "a.localhost"])
def test_a_host_never_belongs_to_two(host: str) -> None:
    with pytest.raises(UnsafeRouteError):
        configuration([target("a.localhost"), target(host)], OWN, MARKER)


def test_a_deployment_that_is_asleep_has_no_servers() -> None:
    asleep = target("a.localhost", servers=())
    document = json.loads(configuration([asleep], OWN, MARKER))
    assert document["http"]["services"][router_name(asleep.deployment)]["loadBalancer"]["servers"] == []


def test_nothing_in_the_file_is_taken_for_a_template() -> None:
    assert b"{{" not in configuration([], OWN, MARKER)


@given(st.text(), st.text(), st.integers(min_value=1, max_value=65535))
def test_no_host_or_address_yields_another_rule(host: str, address: str, port: int) -> None:
    one = target(host, servers=((address, port),))
    try:
        document = json.loads(configuration([one], OWN, MARKER))
    except UnsafeRouteError:
        return
    name = router_name(one.deployment)
    assert document["http"]["routers"][name]["rule"] == f'Host("{host}")'
    expected = ipaddress.ip_address(address)
    url = document["http"]["services"][name]["loadBalancer"]["servers"][0]["url"]
    assert url in {f"http://{expected}:{port}", f"http://[{expected}]:{port}"}
