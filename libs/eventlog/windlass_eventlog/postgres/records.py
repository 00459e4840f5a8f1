"""Records: tables of a service's own database that are no projection, so that no log can bring them back.

They change forward only, by an ordered list of statements of which none is ever edited or removed:

    RECORDS = Records("gateway", ("CREATE TABLE {schema}.links (...)", "ALTER TABLE {schema}.links ADD ..."))
    await migrate(link.database, RECORDS)
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from windlass_eventlog.errors import RecordsMismatchError
from windlass_eventlog.postgres.database import Database, Session

_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('windlass records'))"


@dataclass(frozen=True, slots=True)
class Records:
    """The tables of one service; `{schema}` in a statement stands for where they lie."""

    name: str
    statements: Sequence[str]

    @property
    def schema(self) -> str:
        return f"records_{self.name}"

    def written(self) -> list[str]:
        return [statement.replace("{schema}", self.schema) for statement in self.statements]


async def migrate(database: Database, records: Records) -> None:
    """Run the statements that have not run yet: all of them or none, and in one process at a time.

    Raises:
        RecordsMismatchError: other statements ran here: those of a newer release, or edited ones.
        RowsUnavailableError: PostgreSQL does not answer.
    """
    await database.ask(lambda session: _migrate(session, records))


async def _migrate(session: Session, records: Records) -> None:
    async with session.transaction():
        await session.execute(_ONE_AT_A_TIME)
        await session.execute(f"CREATE SCHEMA IF NOT EXISTS {records.schema}")
        await session.execute(
            f"CREATE TABLE IF NOT EXISTS {records.schema}.migrations"
            " (number integer PRIMARY KEY, digest text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        found = await session.fetch(f"SELECT digest FROM {records.schema}.migrations ORDER BY number")  # noqa: S608 - a name of ours
        done = [record["digest"] for record in found]
        wanted = [hashlib.sha256(statement.encode()).hexdigest() for statement in records.written()]
        if done != wanted[: len(done)]:
            raise RecordsMismatchError(records.schema)
        for number in range(len(done), len(wanted)):
            await session.execute(records.written()[number])
            await session.execute(
                f"INSERT INTO {records.schema}.migrations (number, digest) VALUES ($1, $2)",  # noqa: S608 - as above
                number,
                wanted[number],
            )
