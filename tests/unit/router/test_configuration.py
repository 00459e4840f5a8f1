"""The proxy's file holds nothing that is not ours: hosts and addresses are checked, templates are taken apart."""

import ipaddress
import json
import re
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass_contracts.ids import DeploymentId
from windlass_router.domain.configuration import (
    ANOTHER,
    Configuration,
    Share,
    Site,
    Target,
    configuration,
    deployment_of,
    mark_in,
    router_name,
)
from windlass_router.domain.hosts import UnsafeHostError, server_url

SITE = Site("localhost", 4000, "/secret")
MARK = "7-0a1b2c3d"
ONE, OTHER = DeploymentId(UUID(int=1)), DeploymentId(UUID(int=2))
SERVERS = (("10.0.0.2", 8000),)

SHORTEST_USUAL_KEEP_ALIVE_S = 5
"""How long Node and uvicorn keep a connection without requests."""

UNSAFE_HOSTS = [
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
    "10.0.0.1",
    "10.0.0.1/x",
    "a.b" * 100,
    "{{env}}.b",
]


def test_what_the_proxys_keeper_wants_is_in_each_file_and_takes_the_place_of_nothing_of_ours() -> None:
    theirs = {"routers": {"windlass-api": {"rule": "theirs"}, "windlass-own": {"rule": "hostile"}}}
    site = Site("localhost", 4000, "/secret", {"http": theirs, "tls": {"stores": {}}})
    document = json.loads(configuration([target(ONE, "shop.localhost")], site, MARK).content)
    without = json.loads(configuration([target(ONE, "shop.localhost")], SITE, MARK).content)
    assert document["tls"] == {"stores": {}}
    assert document["http"]["routers"].pop("windlass-api") == {"rule": "theirs"}
    assert document["http"] == without["http"]


def target(
    deployment: DeploymentId, *hosts: str, since: int = 1, servers: tuple[tuple[str, int], ...] = SERVERS
) -> Target:
    return Target(deployment, dict.fromkeys(hosts, since), servers)


def http(found: Configuration) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(found.content)["http"]
    return document


@pytest.mark.parametrize("host", UNSAFE_HOSTS)
def test_what_is_no_host_name_is_left_out_and_told_and_harms_no_other(host: str) -> None:
    found = configuration([target(ONE, host), target(OTHER, "b.localhost")], SITE, MARK)
    assert set(found.refused) == {ONE}
    assert router_name(ONE) not in http(found)["routers"]
    assert http(found)["routers"][router_name(OTHER)]["rule"] == 'Host("b.localhost")'


@pytest.mark.parametrize("address", ["localhost", "10.0.0.1/evil", "10.0.0.1@x", "", "10.0.0.256", "a b", "010.0.0.1"])
def test_what_is_no_address_is_left_out_and_told(address: str) -> None:
    found = configuration([target(ONE, "a.localhost", servers=((address, 80), ("10.0.0.3", 80)))], SITE, MARK)
    assert set(found.refused) == {ONE}
    assert servers(found, ONE) == ["http://10.0.0.3:80"]


@pytest.mark.parametrize("port", [0, -1, 65_536])
def test_what_is_no_port_is_left_out_and_told(port: int) -> None:
    assert set(configuration([target(ONE, "a.localhost", servers=(("10.0.0.2", port),))], SITE, MARK).refused) == {ONE}


def test_a_host_stays_with_whoever_had_it_first() -> None:
    thief = Target(ONE, {"shop.localhost": 9, "old.localhost": 1}, SERVERS)
    found = configuration([thief, target(OTHER, "shop.localhost", since=5)], SITE, MARK)
    assert set(found.refused) == {ONE}
    assert http(found)["routers"][router_name(ONE)]["rule"] == 'Host("old.localhost")'
    assert http(found)["routers"][router_name(OTHER)]["rule"] == 'Host("shop.localhost")'


def test_the_dashboard_keeps_its_host() -> None:
    found = configuration([target(ONE, "windlass.localhost", since=0)], SITE, MARK)
    assert set(found.refused) == {ONE}
    assert "4000" in json.dumps(http(found)["services"])


def test_a_deployment_without_containers_has_no_servers_but_its_route() -> None:
    found = configuration([target(ONE, "a.localhost", servers=())], SITE, MARK)
    assert servers(found, ONE) == []
    assert router_name(ONE) in http(found)["routers"]


def shared(
    *, own: tuple[tuple[str, int], ...] = SERVERS, other: tuple[tuple[str, int], ...] = SERVERS
) -> dict[str, Any]:
    """Return what the proxy is told of two hosts of one deployment, of which another one gets 5 % of the requests."""
    share = Share(frozenset({"shop.localhost", "shop.example"}), OTHER, 5)
    hosts = dict.fromkeys(["shop.localhost", "shop.example", "one.localhost"], 1)
    holder = Target(ONE, hosts, own, brought=frozenset({"shop.example"}), shares=(share,))
    found = configuration([holder, target(OTHER, "other.localhost", servers=other)], SITE, MARK)
    assert not found.refused
    return http(found)


def test_shared_hosts_have_a_router_of_their_own_and_both_versions_behind_it() -> None:
    found = shared()
    rules = {name: router["rule"] for name, router in found["routers"].items() if name.startswith("d-")}
    name = f"{router_name(ONE)}-with-{OTHER.hex}-5"
    assert rules == {
        router_name(ONE): 'Host("one.localhost")',
        name: 'Host("shop.example") || Host("shop.localhost")',
        router_name(OTHER): 'Host("other.localhost")',
    }
    parts = [{"name": router_name(ONE), "weight": 95}, {"name": router_name(OTHER), "weight": 5}]
    assert found["services"][found["routers"][name]["service"]] == {"weighted": {"services": parts}}
    assert deployment_of(name) == ONE


def test_a_version_without_servers_gets_no_part_of_the_requests() -> None:
    name = f"{router_name(ONE)}-with-{OTHER.hex}-5"
    assert shared(other=())["routers"][name]["service"] == router_name(ONE)
    assert shared(own=())["routers"][name]["service"] == router_name(OTHER)
    assert shared(own=(), other=())["routers"][name]["service"] == router_name(ONE)


def test_a_share_for_what_is_not_there_is_none() -> None:
    share = Share(frozenset({"shop.localhost"}), OTHER, 5)
    found = http(configuration([Target(ONE, {"shop.localhost": 1}, SERVERS, shares=(share,))], SITE, MARK))
    assert found["routers"][f"{router_name(ONE)}-with-{OTHER.hex}-5"]["service"] == router_name(ONE)


def test_a_request_that_cannot_be_begun_at_one_of_several_containers_goes_to_another() -> None:
    several = (*SERVERS, ("10.0.0.3", 8000))
    found = http(configuration([target(ONE, "a.b", servers=several), target(OTHER, "c.d")], SITE, MARK))
    assert found["routers"][router_name(ONE)]["middlewares"] == [ANOTHER]
    assert "middlewares" not in found["routers"][router_name(OTHER)]
    assert found["middlewares"][ANOTHER] == {"retry": {"attempts": 3}}


def test_two_versions_that_share_requests_are_several_containers_too() -> None:
    share = Share(frozenset({"a.b"}), OTHER, 10)
    one = Target(ONE, {"a.b": 1, "own.b": 1}, SERVERS, shares=(share,))
    routers = http(configuration([one, target(OTHER, "c.d")], SITE, MARK))["routers"]
    tried = {name for name, router in routers.items() if ANOTHER in router.get("middlewares", ())}
    assert tried == {f"{router_name(ONE)}-with-{OTHER.hex}-10"}


def test_ipv6_addresses_stand_in_brackets() -> None:
    assert server_url("fd00::2", 8000) == "http://[fd00::2]:8000"


def test_nothing_in_the_file_is_taken_for_a_template() -> None:
    found = configuration([], Site("localhost", 4000, "/secret{{env}}"), MARK)
    assert b"{{" not in found.content
    assert "/secret{{env}}" in http(found)["routers"]["windlass-generation"]["rule"]


def test_the_file_is_never_empty() -> None:
    assert len(http(configuration([], SITE, MARK))["routers"]) == 3


def test_a_domain_that_is_none_is_refused_as_a_whole() -> None:
    with pytest.raises(UnsafeHostError):
        configuration([], Site("Local Host", 4000, "/secret"), MARK)


def test_the_same_routes_are_the_same_file_in_any_order() -> None:
    targets = [target(ONE, "a.localhost", "b.localhost"), target(OTHER, "c.localhost")]
    assert configuration(targets, SITE, MARK).content == configuration(targets[::-1], SITE, MARK).content


def test_the_mark_is_in_the_file_and_in_every_answer() -> None:
    found = configuration([target(ONE, "a.localhost")], SITE, MARK)
    assert mark_in(found.content) == found.mark == MARK
    header = http(found)["middlewares"]["windlass-generation"]["headers"]["customResponseHeaders"]
    assert header == {"X-Gen": MARK}


def test_another_mark_changes_nothing_else() -> None:
    targets = [target(ONE, "shop.localhost")]

    assert configuration(targets, SITE, MARK).marked("8-0b").content == configuration(targets, SITE, "8-0b").content


@pytest.mark.parametrize("content", [b"", b"http: {}", b"\xff\xfe", b'{"X-Gen": "{{env}}"}'])
def test_a_file_that_is_none_of_ours_has_no_mark(content: bytes) -> None:
    assert mark_in(content) is None


@given(st.uuids())
def test_a_router_is_known_by_its_name(deployment: UUID) -> None:
    assert deployment_of(router_name(DeploymentId(deployment))) == deployment
    assert deployment_of("windlass-own") is None


labels = st.text(st.sampled_from('abz09-.`"\\ \n{}|&()$*_Aä'), max_size=20)


@given(st.one_of(st.text(), labels), st.one_of(st.text(), labels), st.integers())
def test_no_host_or_address_yields_another_rule(host: str, address: str, port: int) -> None:
    """Whatever the row says, there is one rule for one plain host, and one URL of one IP address."""
    found = configuration([target(ONE, host, servers=((address, port),))], SITE, MARK)
    router = http(found)["routers"].get(router_name(ONE))
    if router is None:
        assert ONE in found.refused
        return
    assert router["rule"] == f'Host("{host}")'
    assert re.fullmatch(r"[a-z0-9.-]+", host)
    for url in servers(found, ONE):
        ip = ipaddress.ip_address(address)
        assert url in {f"http://{ip}:{port}", f"http://[{ip}]:{port}"}


def servers(found: Configuration, deployment: DeploymentId) -> list[str]:
    balancer = http(found)["services"][router_name(deployment)]["loadBalancer"]
    return [server["url"] for server in balancer["servers"]]


def test_idle_connections_to_apps_are_closed_before_the_apps_close_them() -> None:
    found = http(configuration([target(ONE, "a.localhost")], SITE, MARK))
    transport = found["services"][router_name(ONE)]["loadBalancer"]["serversTransport"]
    idle = found["serversTransports"][transport]["forwardingTimeouts"]["idleConnTimeout"]
    assert 0 < int(idle.removesuffix("s")) < SHORTEST_USUAL_KEEP_ALIVE_S


labels = st.sampled_from(["shop", "other", "windlass", "a", "x`y", "*", "A", "-", "{{env}}", "ä", ""])
domains = st.sampled_from(
    [".localhost", "", ".example.com", ".localhost.", ".10.0.0.1", "localhost", '") || Host("c.d']
)
any_hosts = st.lists(st.builds("".join, st.tuples(labels, domains)), max_size=4)


@given(any_hosts, any_hosts, any_hosts, any_hosts, st.integers(1, 9), st.integers(1, 9))
def test_no_input_yields_an_invalid_or_a_foreign_rule(
    own: list[str], brought: list[str], others_own: list[str], others_brought: list[str], since: int, others_since: int
) -> None:
    """Labels and domains of two projects: what is in the file is plain, one project's, and below no other's name."""
    own = [host for host in own if host not in brought]
    others_own = [host for host in others_own if host not in others_brought]
    one = Target(ONE, dict.fromkeys([*own, *brought], since), SERVERS, brought=frozenset(brought))
    other = Target(
        OTHER, dict.fromkeys([*others_own, *others_brought], others_since), SERVERS, brought=frozenset(others_brought)
    )
    routers = http(configuration([one, other], SITE, MARK))["routers"]
    rules = {name: routers.get(router_name(name), {"rule": ""})["rule"] for name in (ONE, OTHER)}
    found = {name: re.findall(r'Host\("([a-z0-9.-]+)"\)', rule) for name, rule in rules.items()}
    for name, rule in rules.items():
        assert rule == " || ".join(f'Host("{host}")' for host in found[name])
    assert not set(found[ONE]) & set(found[OTHER])
    assert "windlass.localhost" not in found[ONE] + found[OTHER]
    for name, target_of in ((ONE, one), (OTHER, other)):
        assert set(found[name]) <= set(target_of.hosts)
        assert not [host for host in found[name] if host in target_of.brought and host.endswith(".localhost")]


def test_a_host_below_the_installations_domain_that_somebody_brought_takes_nothing_from_its_owner() -> None:
    thief = Target(ONE, {"shop.localhost": 1}, SERVERS, brought=frozenset({"shop.localhost"}))
    found = configuration([thief, target(OTHER, "shop.localhost", since=5)], SITE, MARK)
    assert set(found.refused) == {ONE}
    assert http(found)["routers"][router_name(OTHER)]["rule"] == 'Host("shop.localhost")'
