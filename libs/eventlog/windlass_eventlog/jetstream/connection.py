"""One connection to NATS: reconnects for ever, and says aloud what no retry will ever mend."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import NoReturn, TypeVar

import nats.errors
import stamina
import structlog
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import APIError

from windlass_eventlog.errors import LogUnavailableError, PermissionDeniedError
from windlass_eventlog.jetstream.client import CancelableClient
from windlass_eventlog.jetstream.parser import Take
from windlass_eventlog.jetstream.seeds import check_seed

ANSWER_WITHIN_S = 5.0
_ANSWER_AFTER_RECONNECT_S = 0.25
_CONNECT_WITHIN_S = 30.0
RECONNECT_AFTER_S = 0.1
_UNAVAILABLE = 503
_UNSENT_BYTES = 16 * 1024 * 1024
PATIENCE = timedelta(seconds=15)
"""How long a question is asked again while it gets no answer."""

_REFUSED_SUBJECT = re.compile(r'permissions violation for (\w+) to "([^"]+)"', re.IGNORECASE)
_REFUSED_USER = re.compile(r"authorization violation|authentication (expired|revoked)", re.IGNORECASE)

_CHECK_USER = "check WINDLASS_NATS_URL and WINDLASS_NATS_SEED_FILE, and whether the server has its public key."

T = TypeVar("T")

_log = structlog.get_logger(__name__)


def unanswered(error: Exception) -> bool:
    """Tell whether the server did not answer, so that nobody knows whether it did what it was asked."""
    if isinstance(error, APIError):
        return error.code == _UNAVAILABLE
    return isinstance(error, nats.errors.Error | OSError)


@dataclass(slots=True)
class Connection:
    """A client of NATS, and what went wrong with it. Made by `connection`."""

    name: str
    seed_file: Path | None = None
    client: CancelableClient = field(default_factory=CancelableClient)
    jetstream: JetStreamContext = field(init=False)
    _closing: bool = False
    _failed: asyncio.Event = field(default_factory=asyncio.Event)
    _refusals: dict[str, PermissionDeniedError] = field(default_factory=dict)
    _asked: set[asyncio.Timeout] = field(default_factory=set)
    _reconnect_calls: set[Callable[[], None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.jetstream = self.client.jetstream(timeout=ANSWER_WITHIN_S)

    async def failing(self) -> NoReturn:
        """Wait for what cannot be mended, and raise it.

        Raises:
            PermissionDeniedError: the server refused a subject, or the user itself.
        """
        await self._failed.wait()
        self.check_permitted()
        raise AssertionError  # it fails by refusals only

    async def ask(self, question: Callable[[], Awaitable[T]], what: str) -> T:
        """Return the answer to a question that may be asked twice without harm.

        Raises:
            PermissionDeniedError: the server refused this client something, which looks like silence to who asked.
            LogUnavailableError: no answer within 15 s; says `what` was asked.
        """
        try:
            return await self.once(question)
        except Exception as error:
            if not unanswered(error):
                raise
            return await self._ask_again(question, what)

    async def _ask_again(self, question: Callable[[], Awaitable[T]], what: str) -> T:
        try:
            async for attempt in stamina.retry_context(
                on=unanswered, attempts=None, timeout=PATIENCE, wait_initial=0.05, wait_max=1.0
            ):
                with attempt:
                    self.check_permitted()
                    return await self.once(question)
        except Exception as error:
            if not unanswered(error):
                raise
            self.check_permitted()
            msg = f"NATS did not answer within {PATIENCE.total_seconds():.0f} s: {what}"
            raise LogUnavailableError(msg) from error
        raise AssertionError  # the loop ends by returning or raising

    def check_permitted(self) -> None:
        """Raise what the server refused this client, if anything.

        Raises:
            PermissionDeniedError: something was refused.
        """
        for refusal in self._refusals.values():
            raise refusal

    @contextmanager
    def on_reconnect(self, call: Callable[[], None]) -> Iterator[None]:
        """Call back after every reconnect, as long as the block lasts."""
        self._reconnect_calls.add(call)
        try:
            yield
        finally:
            self._reconnect_calls.discard(call)

    async def once(self, question: Callable[[], Awaitable[T]]) -> T:
        """Return the answer; after a reconnect, what was asked before will hardly be answered any more.

        Raises:
            TimeoutError, nats.errors.Error: no answer came in time, or it was none.
        """
        async with asyncio.timeout(ANSWER_WITHIN_S) as patience:
            self._asked.add(patience)
            try:
                return await _heeding_cancellation(question)
            finally:
                self._asked.discard(patience)

    async def noticed(self, error: Exception) -> None:
        """Sort out what the client reports: refusals end the service, everything else is tried again."""
        said = str(error) or type(error).__name__
        if refused := _REFUSED_SUBJECT.search(said):
            deed, subject = refused[1].lower(), refused[2]
            self._refuse(
                subject, f"NATS refuses the {deed} of {self.name} to {subject}: grant it to this user in its settings."
            )
        elif _REFUSED_USER.search(said):
            self._refuse("", f"NATS does not know the user {self.name}: {_CHECK_USER}")
        else:
            _log.warning("nats.error", connection=self.name, error=said)

    async def lost(self) -> None:
        if not self._closing:
            _log.warning("nats.disconnected", connection=self.name)

    async def close(self) -> None:
        self._closing = True
        await self.client.close()

    async def regained(self) -> None:
        _log.info("nats.reconnected", connection=self.name)
        soon = asyncio.get_running_loop().time() + _ANSWER_AFTER_RECONNECT_S
        for patience in self._asked:
            if not patience.expired():
                patience.reschedule(soon)
        for call in tuple(self._reconnect_calls):
            call()

    @asynccontextmanager
    async def subscribed(self, subject: str, arrive: Callable[[Msg], Awaitable[None]]) -> AsyncIterator[None]:
        """Hand over what is sent to a subject for as long as the block lasts; whoever takes it bounds what waits."""
        subscription = await self.client.subscribe(subject, cb=arrive, pending_msgs_limit=-1, pending_bytes_limit=-1)
        try:
            yield
        finally:
            if not self.client.is_closed:
                await subscription.unsubscribe()

    @asynccontextmanager
    async def taken(self, subject: str, take: Take) -> AsyncIterator[None]:
        """Hand over what is sent to a subject, unread, for as long as the block lasts."""
        subscription = await self.client.subscribe_unread(subject, take)
        try:
            yield
        finally:
            await self.client.unsubscribe_unread(subscription)

    def _refuse(self, subject: str, message: str) -> None:
        self._refusals[subject] = PermissionDeniedError(message)
        self._failed.set()


async def _heeding_cancellation(question: Callable[[], Awaitable[T]]) -> T:
    """Ask, and end as cancelled where that was asked for meanwhile: the client swallows it while it sends."""
    task = asyncio.current_task()
    before = 0 if task is None else task.cancelling()
    answer = await question()
    if task is not None and task.cancelling() > before:
        raise asyncio.CancelledError
    return answer


@asynccontextmanager
async def connection(url: str, name: str, seed_file: Path | None = None) -> AsyncIterator[Connection]:
    """Connect under a name, with an inbox prefix of that name, and close in the end.

    The user is the one of the seed, where there is one, otherwise the one that the URL names.

    Raises:
        PermissionDeniedError: the server does not know the user, or there is no seed in the file.
        LogUnavailableError: nobody answered within 30 s.
    """
    check_seed(seed_file)
    link = Connection(name, seed_file)
    await _connect(link, url)
    try:
        yield link
    finally:
        await link.close()


async def _connect(link: Connection, url: str) -> None:
    connecting = asyncio.ensure_future(
        link.client.connect(
            url,
            name=link.name,
            nkeys_seed=None if link.seed_file is None else str(link.seed_file),
            inbox_prefix=f"_INBOX_{link.name}".encode(),
            error_cb=link.noticed,
            disconnected_cb=link.lost,
            reconnected_cb=link.regained,
            max_reconnect_attempts=-1,
            reconnect_time_wait=RECONNECT_AFTER_S,  # type: ignore[arg-type] # it is slept: a fraction will do
            pending_size=_UNSENT_BYTES,
        )
    )
    failing = asyncio.ensure_future(link.failing())
    try:
        done, _ = await asyncio.wait(
            {connecting, failing}, timeout=_CONNECT_WITHIN_S, return_when=asyncio.FIRST_COMPLETED
        )
        if not done:
            msg = f"NATS did not answer within {_CONNECT_WITHIN_S:.0f} s: check that it runs and WINDLASS_NATS_URL."
            raise LogUnavailableError(msg)
        done.pop().result()
    finally:
        for task in (connecting, failing):
            task.cancel()
        await asyncio.gather(connecting, failing, return_exceptions=True)
