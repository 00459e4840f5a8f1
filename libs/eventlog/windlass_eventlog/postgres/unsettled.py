"""Beginnings of reactors without an end, in the service's own database."""

from dataclasses import dataclass

from windlass_eventlog.dead_letters.unsettled import Unsettled
from windlass_eventlog.postgres.database import Database
from windlass_eventlog.postgres.records import Records

_TABLE = """
CREATE TABLE {schema}.unsettled (
    sequence bigint NOT NULL,
    reactor text NOT NULL,
    times integer NOT NULL,
    PRIMARY KEY (sequence, reactor)
)
"""

RECORDS = Records("reactions", (_TABLE,))
_UNSETTLED = f"{RECORDS.schema}.unsettled"
_BEGIN = (
    f"INSERT INTO {_UNSETTLED} (sequence, reactor, times) VALUES ($1, $2, 1)"  # noqa: S608 - names of ours
    " ON CONFLICT (sequence, reactor) DO UPDATE SET times = unsettled.times + 1 RETURNING times"
)
_END = f"UPDATE {_UNSETTLED} SET times = times - 1 WHERE sequence = $1 AND reactor = $2"  # noqa: S608 - as above
_FORGET = f"DELETE FROM {_UNSETTLED} WHERE sequence = $1"  # noqa: S608 - as above


@dataclass(frozen=True, slots=True)
class PostgresUnsettled(Unsettled):
    """A row for each reactor that began again with what another process had begun. Raises RowsUnavailableError."""

    database: Database

    async def begin(self, sequence: int, reactor: str) -> int:
        times: int = await self.database.ask(lambda session: session.fetchval(_BEGIN, sequence, reactor))
        return times - 1

    async def end(self, sequence: int, reactor: str) -> None:
        await self.database.ask(lambda session: session.execute(_END, sequence, reactor))

    async def forget(self, sequence: int) -> None:
        await self.database.ask(lambda session: session.execute(_FORGET, sequence))
