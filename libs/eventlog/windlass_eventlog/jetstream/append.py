"""Appending with an expectation, and finding out what became of an append that got no answer."""

import re
from dataclasses import dataclass

from nats.js import api
from nats.js.errors import APIError

from windlass_contracts.cloudevent import MESSAGE_ID_HEADER
from windlass_contracts.subjects import STREAM
from windlass_eventlog.errors import ConflictError, EventLogError, LogFullError
from windlass_eventlog.jetstream.connection import Connection, unanswered
from windlass_eventlog.jetstream.lookup import next_message, sequence_of
from windlass_eventlog.log import Expected
from windlass_eventlog.message import Message

_SCOPE = "Nats-Expected-Last-Subject-Sequence-Subject"
_CONFLICTS = frozenset({10071, 10164})
_STORE_FAILED = 10077
_OUT_OF_STORAGE = frozenset({10023, 10047})


@dataclass(frozen=True, slots=True)
class Append:
    """One append: the same message, with the same id, however often it is sent."""

    connection: Connection
    message: Message
    expected: Expected

    async def run(self) -> int:
        """Return the sequence that the message got, now or earlier.

        Raises:
            ConflictError, LogUnavailableError, LogFullError, PermissionDeniedError: as `EventLog.append`.
        """
        what = (
            f"it is not known whether event {self.message.id} was appended to {STREAM}: append it again, as it is."
            " NATS says why in its own log; it stays silent when its disk is full or read-only: mend that, and restart"
            " it."
        )
        return await self.connection.ask(self._once, what)

    async def _once(self) -> int:
        try:
            return (await self._publish()).seq
        except APIError as error:
            return await self._refused(error)

    async def _publish(self) -> api.PubAck:
        headers = {
            **self.message.headers,
            api.Header.EXPECTED_LAST_SUBJECT_SEQUENCE: str(self.expected.sequence),
            _SCOPE: self.expected.scope,
        }
        return await self.connection.jetstream.publish(self.message.subject, self.message.body, headers=headers)

    async def _refused(self, error: APIError) -> int:
        if error.err_code in _CONFLICTS:
            earlier = await self._appended_earlier()
            if earlier is None:
                raise self._conflict(error) from error
            return earlier
        if error.err_code in _OUT_OF_STORAGE or (error.err_code == _STORE_FAILED and "maximum" in str(error)):
            msg = (
                f"{STREAM} is full ({error.description}): nothing is lost, and nothing is appended until its budget is"
                f" raised: nats stream edit {STREAM} --max-bytes 16GiB"
            )
            raise LogFullError(msg) from error
        if unanswered(error):
            raise error
        msg = f"{STREAM} refuses event {self.message.id}: {error.description}"
        raise EventLogError(msg) from error

    def _conflict(self, error: APIError) -> ConflictError:
        found = re.search(r"wrong last sequence: (\d+)", error.description or "")
        return ConflictError(self.expected.scope, self.expected.sequence, int(found[1]) if found else None)

    async def _appended_earlier(self) -> int | None:
        """Return the sequence of this event if it is in the log.

        An earlier attempt with the same expectation put it right behind the expected place, so that one look is
        enough; one with another expectation put it anywhere on its subject.
        """
        subject, expected = self.message.subject, self.expected.sequence
        behind = await next_message(self.connection, subject, expected + 1)
        if behind is not None and (behind.headers or {}).get(MESSAGE_ID_HEADER) == self.message.id:
            return behind.seq
        if behind is None and expected == 0:
            return None
        return await sequence_of(self.connection, subject, self.message.id)
