"""The service's own database: a few connections, made again whenever PostgreSQL comes back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import asyncpg
import stamina
from asyncpg.pool import PoolConnectionProxy

from windlass_eventlog.errors import PermissionDeniedError, RowsUnavailableError

PATIENCE = timedelta(seconds=10)
"""How long a question is asked again while PostgreSQL is away."""

UNAVAILABLE = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a session was ended in the middle of a transaction
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # it stops, crashed, or recovers
    asyncpg.InsufficientResourcesError,  # no connection, memory or disk is left
    asyncpg.TransactionRollbackError,
)
"""What is raised while PostgreSQL is away or overwhelmed: the same will work later."""

_MOST_CONNECTIONS = 4
_IDLE_AFTER_S = 15.0
_CLOSE_WITHIN_S = 2.0

Session = PoolConnectionProxy
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Database:
    """A pool of connections. Made by `database`."""

    pool: asyncpg.Pool

    async def ask(self, question: Callable[[Session], Awaitable[T]]) -> T:
        """Return the answer to a question that may be asked twice without harm.

        Raises:
            RowsUnavailableError: PostgreSQL stayed away for 10 s.
        """
        try:
            return await self.once(question)
        except UNAVAILABLE:
            return await self._ask_again(question)

    async def _ask_again(self, question: Callable[[Session], Awaitable[T]]) -> T:
        try:
            async for attempt in stamina.retry_context(
                on=UNAVAILABLE, attempts=None, timeout=PATIENCE, wait_initial=0.02, wait_max=0.5
            ):
                with attempt:
                    return await self.once(question)
        except UNAVAILABLE as error:
            msg = f"PostgreSQL does not answer: {str(error) or type(error).__name__}"
            raise RowsUnavailableError(msg) from error
        raise AssertionError  # the loop ends by returning or raising

    async def once(self, question: Callable[[Session], Awaitable[T]]) -> T:
        """Return the answer, or raise what PostgreSQL said."""
        async with self.pool.acquire() as session:
            return await question(session)


async def _left_as_it_is(_: object) -> None:
    """Nobody here sets, listens to or locks anything beyond a transaction.

    Asking PostgreSQL to forget all that, as is usual, would double the time of each question.
    """


@asynccontextmanager
async def database(url: str, name: str) -> AsyncIterator[Database]:
    """Connect under a name, and close in the end.

    Raises:
        RowsUnavailableError: nobody answered within 10 s.
        PermissionDeniedError: the user or the database is not known.
    """
    pool = await _connect(url, name)
    try:
        yield Database(pool)
    finally:
        try:
            async with asyncio.timeout(_CLOSE_WITHIN_S):
                await pool.close()
        except (TimeoutError, *UNAVAILABLE):
            pool.terminate()


async def _connect(url: str, name: str) -> asyncpg.Pool:
    try:
        async for attempt in stamina.retry_context(
            on=UNAVAILABLE, attempts=None, timeout=PATIENCE, wait_initial=0.05, wait_max=0.5
        ):
            with attempt:
                return await asyncpg.create_pool(
                    url,
                    min_size=1,
                    max_size=_MOST_CONNECTIONS,
                    max_inactive_connection_lifetime=_IDLE_AFTER_S,
                    reset=_left_as_it_is,
                    server_settings={"application_name": f"windlass-{name}"},
                )
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError) as error:
        msg = f"PostgreSQL does not let {name} in ({error}): check WINDLASS_DATABASE_URL."
        raise PermissionDeniedError(msg) from error
    except UNAVAILABLE as error:
        msg = f"PostgreSQL does not answer ({str(error) or type(error).__name__}): check WINDLASS_DATABASE_URL."
        raise RowsUnavailableError(msg) from error
    raise AssertionError  # the loop ends by returning or raising
