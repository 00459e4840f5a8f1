"""The audit in memory does what that on JetStream does; an entry takes nothing that somebody chose freely."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from support.audit_contract import AuditContract, entry
from windlass_eventlog.audit import UNKNOWN, AuditEntry, network_of
from windlass_eventlog.memory import MemoryAudit


class TestMemoryAudit(AuditContract):
    @pytest.fixture
    def audit(self) -> MemoryAudit:
        return MemoryAudit()


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("198.51.100.77", "198.51.100.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("::ffff:198.51.100.77", "198.51.100.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("127.0.0.1", "127.0.0.0/24"),
        ("::1", "::/48"),
        ("unix:", UNKNOWN),
        ("198.51.100.77\r\nX: y", UNKNOWN),
        ("", UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_of_an_address_the_network_alone_is_kept(address: str | None, network: str) -> None:
    assert network_of(address) == network
    assert entry(network=network).network == network


@given(st.text() | st.ip_addresses().map(str))
def test_whatever_an_address_is_it_becomes_a_network_that_is_one_token_of_a_subject(address: str) -> None:
    kept = entry(network=network_of(address))
    assert len(kept.subject.split(".")) == 4
    assert not set(kept.subject) & set(" *>\r\n\t")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("operation", "POST /x\r\nINFO everything is fine"),
        ("operation", "POST /x?token=secret"),
        ("operation", "\x1b[2J"),
        ("code", "forged form"),
        ("actor", "mallory"),
        ("actor", "person:*"),
        ("network", "evil.example"),
        ("network", "198.51.100.77"),
    ],
)
def test_an_entry_refuses_what_somebody_could_have_written(field: str, value: str) -> None:
    with pytest.raises(ValidationError):
        AuditEntry.model_validate(entry().model_dump() | {field: value})
