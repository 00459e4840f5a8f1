"""What can be a domain, and whose it is: two projects never get one host."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass_contracts.cloudevent import Metadata, Recorded
from windlass_contracts.event import Event
from windlass_contracts.events import DomainAssigned, DomainRemoved
from windlass_contracts.ids import EnvironmentId, EventId, ProjectId, TeamId
from windlass_contracts.subjects import Aggregate, AggregateKey, Service
from windlass_gateway.domain.domains import (
    MOST_DOMAINS,
    Assignment,
    DomainRegistry,
    checked_domain,
    decide_assignment,
    decide_removal,
    evolve,
)
from windlass_gateway.domain.refusals import DomainNotFoundError, DomainTakenError, InvalidInputError, Refusal
from windlass_router.domain.hosts import checked_host

OWN = "apps.example.com"
PRODUCTION, PREVIEW = EnvironmentId(UUID(int=1)), EnvironmentId(UUID(int=2))
SHOP, OTHER = ProjectId(UUID(int=3)), ProjectId(UUID(int=4))


@dataclass
class Told:
    """The registry after some events."""

    row: DomainRegistry = field(default_factory=DomainRegistry)
    sequence: int = 0

    def take(self, project: ProjectId, event: Event | None) -> None:
        if event is None:
            return
        self.sequence += 1
        key = AggregateKey.of_project(TeamId(UUID(int=9)), project, Aggregate.DOMAINS)
        identity = EventId(UUID(int=100 + self.sequence))
        metadata = Metadata(identity, datetime(2026, 1, 1, tzinfo=UTC), "token:test", identity)
        row = evolve(self.row, Recorded(self.sequence, "0a1b2c3d", Service.GATEWAY, key, event, metadata))
        assert row is not None
        self.row = row

    def assign(self, project: ProjectId, host: str, environment: EnvironmentId = PRODUCTION) -> None:
        self.take(project, decide_assignment(self.row, Assignment(project, environment, host)))


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("www.example.com", "www.example.com"),
        ("  WWW.Example.COM.\n", "www.example.com"),
        ("Bücher.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("пример.испытание", "xn--e1afmkfd.xn--80akhbyknj4f"),
        ("例え。テスト。", "xn--r8jz45g.xn--zckzah"),
        ("example.com", "example.com"),
        ("notapps.example.com", "notapps.example.com"),
        ("a" * 63 + ".example", "a" * 63 + ".example"),
    ],
)
def test_a_host_is_written_as_dns_knows_it(written: str, host: str) -> None:
    assert checked_domain(written, OWN) == host


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("", "no host"),
        ("a`b.com", "not allowed"),
        ('a"b.com', "not allowed"),
        ("a'b.com", "not allowed"),
        ("{{env}}.com", "not allowed"),
        ("*.example.com", "wildcard"),
        ("https://www.example.com/x", "address of a page"),
        ("www.example.com:8080", "not allowed"),
        ("a b.com", "not allowed"),
        ("a.b\n.com", "not allowed"),
        ("a_b.com", "not allowed"),
        ("a" * 64 + ".com", "too long"),
        ("a.b" * 90, "253|[Tt]oo long"),
        ("x" * 5_000, "253"),
        ("a..com", "Empty"),
        ("a.com..", "Empty"),
        ("-a.com", "hyphen"),
        ("a-.com", "hyphen"),
        ("xn--zz.example", "no host name"),
        ("☃.net", "not allowed"),
        ("\u202ea.com", "not allowed"),
        ("a\u200db.com", "not allowed"),
        ("שa.com", "no host name"),
        ("\ud800.com", "no host name"),
        ("10.0.0.1", "IP address"),
        ("\uff11\uff10.0.0.1", "IP address"),
        ("[::1]", "IP address"),
        ("::ffff:10.0.0.1", "IP address"),
        ("1.2.3", "IP address"),
        ("localhost", "visitor's own"),
        ("shop.localhost", "visitor's own"),
        ("_gen.invalid", "not allowed"),
        ("gen.invalid", "visitor's own"),
        ("shop", "single label"),
        (OWN, "belongs to this installation"),
        (f"windlass.{OWN}", "belongs to this installation"),
        (f"SHOP.{OWN.upper()}.", "belongs to this installation"),
        (f"a.b.{OWN}", "belongs to this installation"),
    ],
)
def test_what_is_no_domain_is_refused_by_its_field_with_the_reason(written: str, why: str) -> None:
    with pytest.raises(InvalidInputError, match=why) as refused:
        checked_domain(written, OWN)
    assert refused.value.field == "host"
    assert refused.value.next_step
    assert len(refused.value.detail) < 300


@given(st.one_of(st.text(max_size=320), st.from_regex(r"[a-zA-Z0-9äß*`.\-]{1,40}\.[a-z]{1,10}\.?", fullmatch=True)))
def test_whatever_is_accepted_is_a_host_that_the_router_takes_and_none_of_ours(written: str) -> None:
    try:
        host = checked_domain(written, OWN)
    except InvalidInputError:
        return
    assert checked_host(host) == host == checked_domain(host, OWN)
    assert re.fullmatch(r"[a-z0-9.-]+", host)
    assert not host.endswith(OWN) or host.endswith(f"not{OWN}") or not host.removesuffix(OWN).endswith(".")
    assert DomainAssigned(host=host, environment=PRODUCTION).host == host


deeds = st.tuples(
    st.sampled_from([SHOP, OTHER]), st.sampled_from([PRODUCTION, PREVIEW, None]), st.sampled_from(["a.b", "c.d", "e.f"])
)


@given(st.lists(deeds, max_size=12))
def test_two_projects_never_get_one_host(story: Sequence[tuple[ProjectId, EnvironmentId | None, str]]) -> None:
    told = Told()
    for project, environment, host in story:
        before = told.row.hosts.get(host)
        try:
            if environment is None:
                told.take(project, decide_removal(told.row, project, "shop", host))
            else:
                told.assign(project, host, environment)
        except Refusal:
            assert before is None or before.project != project
            assert told.row.hosts.get(host) == before
        else:
            assert before is None or before.project == project
            now = told.row.hosts.get(host)
            assert (None if now is None else (now.project, now.environment)) == (
                None if environment is None else (project, environment)
            )


def test_a_taken_host_is_refused_without_a_word_of_whose_it_is() -> None:
    told = Told()
    told.assign(SHOP, "a.b")
    with pytest.raises(DomainTakenError) as refused:
        told.assign(OTHER, "a.b")
    assert str(SHOP) not in refused.value.detail
    with pytest.raises(DomainNotFoundError):
        decide_removal(told.row, OTHER, "other", "a.b")


def test_what_is_so_already_needs_no_event_and_another_environment_one() -> None:
    told = Told()
    told.assign(SHOP, "a.b")
    assert decide_assignment(told.row, Assignment(SHOP, PRODUCTION, "a.b")) is None
    moved = decide_assignment(told.row, Assignment(SHOP, PREVIEW, "a.b"))
    assert moved == DomainAssigned(host="a.b", environment=PREVIEW)
    assert decide_removal(told.row, SHOP, "shop", "a.b") == DomainRemoved(host="a.b")


def test_a_project_has_a_bounded_number_of_domains() -> None:
    told = Told()
    for number in range(MOST_DOMAINS):
        told.assign(SHOP, f"a{number}.b")
    with pytest.raises(InvalidInputError, match="100 is the limit"):
        told.assign(SHOP, "one.more")
    told.assign(SHOP, "a0.b", PREVIEW)
    told.assign(OTHER, "one.more")
