"""Record tables: made once, changed forward only, by one process at a time."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from windlass_eventlog.errors import RecordsMismatchError
from windlass_eventlog.postgres.database import Database, database
from windlass_eventlog.postgres.records import Records, migrate

FIRST = "CREATE TABLE {schema}.things (name text)"
SECOND = "ALTER TABLE {schema}.things ADD COLUMN size integer NOT NULL DEFAULT 1"


@pytest.fixture
async def own(database_url: str) -> AsyncIterator[Database]:
    async with database(database_url, "test") as opened:
        yield opened


async def things(own: Database) -> list[dict[str, object]]:
    found = await own.once(lambda session: session.fetch("SELECT * FROM records_test.things"))
    return [dict(one) for one in found]


async def put(own: Database, name: str) -> None:
    await own.once(lambda session: session.execute("INSERT INTO records_test.things (name) VALUES ($1)", name))


async def test_a_newer_release_changes_the_tables_and_keeps_what_is_in_them(own: Database) -> None:
    await migrate(own, Records("test", (FIRST,)))
    await put(own, "a")
    for _ in range(2):
        await migrate(own, Records("test", (FIRST, SECOND)))
    assert await things(own) == [{"name": "a", "size": 1}]


async def test_processes_that_start_at_once_migrate_once(own: Database) -> None:
    await asyncio.gather(*(migrate(own, Records("test", (FIRST, SECOND))) for _ in range(4)))
    assert await things(own) == []


async def test_a_migration_that_fails_leaves_everything_as_it_was(own: Database) -> None:
    await migrate(own, Records("test", (FIRST,)))
    with pytest.raises(asyncpg.PostgresSyntaxError):
        await migrate(own, Records("test", (FIRST, SECOND, "NONSENSE")))
    await put(own, "a")
    assert await things(own) == [{"name": "a"}]
    await migrate(own, Records("test", (FIRST, SECOND)))


@pytest.mark.parametrize("statements", [(FIRST,), (SECOND, FIRST), (FIRST, SECOND.replace("1", "2"))])
async def test_tables_of_a_newer_release_or_an_edited_history_are_refused(
    own: Database, statements: tuple[str, ...]
) -> None:
    await migrate(own, Records("test", (FIRST, SECOND)))
    with pytest.raises(RecordsMismatchError, match="records_test"):
        await migrate(own, Records("test", statements))
