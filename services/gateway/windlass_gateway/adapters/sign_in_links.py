"""Links to sign in with, in the gateway's own database."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from windlass_contracts.ids import TeamId
from windlass_eventlog.postgres.database import Database
from windlass_gateway.adapters.records import RECORDS
from windlass_gateway.domain.sign_in_link import KnownLink, SignInLink

_TABLE = f"{RECORDS.schema}.sign_in_links"
_FORGOTTEN_AFTER = timedelta(days=1)
"""Until then, somebody who opens an old link is told that it has expired, or was used."""

# ruff: noqa: S608 - the name of the table is our own


@dataclass(frozen=True, slots=True)
class PostgresSignInLinks:
    """`SignInLinks`. Raises RowsUnavailableError where PostgreSQL stays away."""

    database: Database

    async def add(self, digest: str, link: SignInLink, now: datetime) -> None:
        await self.database.ask(
            lambda session: session.execute(f"DELETE FROM {_TABLE} WHERE expires_at < $1", now - _FORGOTTEN_AFTER)
        )
        insert = (
            f"INSERT INTO {_TABLE} (digest, person, team, expires_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"
        )
        await self.database.ask(
            lambda session: session.execute(insert, digest, link.person, link.team, link.expires_at)
        )

    async def find(self, digest: str) -> KnownLink | None:
        select = f"SELECT person, team, expires_at, used_by FROM {_TABLE} WHERE digest = $1"
        found = await self.database.ask(lambda session: session.fetchrow(select, digest))
        if found is None:
            return None
        link = SignInLink(found["person"], TeamId(found["team"]), found["expires_at"])
        return KnownLink(link, used=found["used_by"] is not None)

    async def use(self, digest: str, claim: UUID) -> bool:
        # The row's lock lets a second claim wait for the first, and then see it. A claim that is sent again, because
        # its answer was lost, finds its own.
        update = f"UPDATE {_TABLE} SET used_by = $2 WHERE digest = $1 AND coalesce(used_by, $2) = $2 RETURNING true"
        return bool(await self.database.ask(lambda session: session.fetchval(update, digest, claim)))
