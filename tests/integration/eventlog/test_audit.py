"""The audit on a real server."""

import pytest
import structlog.testing

from support.audit_contract import AuditContract, entry
from windlass_eventlog.jetstream.audit import JetStreamAudit
from windlass_eventlog.jetstream.connection import Connection


class TestJetStreamAudit(AuditContract):
    @pytest.fixture
    def audit(self, link: Connection) -> JetStreamAudit:
        return JetStreamAudit(link)

    async def test_what_is_searched_for_is_found_far_behind_the_end(self, audit: JetStreamAudit) -> None:
        wanted = entry(code="forged-form")
        await audit.append(wanted)
        for number in range(1_500):
            await audit.append(entry(network=f"198.51.{number % 2}.0/24"))
        assert await audit.latest(5, code="forged-form") == [wanted]

    async def test_what_a_later_release_wrote_is_passed_over_and_named(
        self, audit: JetStreamAudit, link: Connection
    ) -> None:
        kept = entry()
        await link.jetstream.publish("audit.gateway.x.y", b'{"of": "2.0"}')
        await audit.append(kept)
        with structlog.testing.capture_logs() as said:
            assert await audit.latest(5) == [kept]
        assert said == [{"event": "audit.unreadable", "stream": "AUDIT", "sequence": 1, "log_level": "warning"}]
