"""The use cases of dead letters: reactions that a service gave up, and what is to become of them."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from windlass_contracts.event import Event
from windlass_contracts.ids import DeploymentId, EventId, ReactionId
from windlass_contracts.subjects import Aggregate, AggregateKey, parse_subject
from windlass_eventlog.dead_letters.letter import DEAD_LETTERS, DeadLetter, NotOpenError, decide_discard, decide_retry
from windlass_eventlog.projection import Versioned
from windlass_gateway.application.access import Caller, Permission
from windlass_gateway.application.decisions import Signature, append_all, decided
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.domain.refusals import DeadLetterNotFoundError, DeadLetterOverError, InvalidInputError
from windlass_gateway.domain.writes import Write

MOST = 200
_LONGEST_REASON = 1_000
_SHORTEST = 4
_WHOLE = 32
_HEX = re.compile(r"[0-9a-f]{4,32}")


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter, the event that it is about, and why it was discarded, as far as that text is there."""

    id: ReactionId
    row: DeadLetter
    about: AggregateKey
    reason: str | None

    @property
    def deployment(self) -> DeploymentId | None:
        return DeploymentId(self.about.id) if self.about.aggregate is Aggregate.DEPLOYMENT else None


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """Lists dead letters, and has them tried again or discarded."""

    gateway: Gateway

    async def list(self, caller: Caller) -> Sequence[Letter]:
        """Return the dead letters of the team, those that wait for somebody first, the latest 200 of each kind.

        Raises:
            ForbiddenError: they may not see them.
        """
        caller.demand(Permission.ADMINISTER)
        found = [
            one
            for unanswered in (True, False)
            for one in await self.gateway.rows.find(
                DEAD_LETTERS, {"team": caller.team, "unanswered": unanswered}, limit=MOST
            )
        ]
        return await self._shown(found)

    async def find(self, caller: Caller, written: str) -> Letter:
        """Return one by its id, or a beginning of it.

        Raises:
            ForbiddenError: they may not see it.
            DeadLetterNotFoundError: there is none.
            InvalidInputError: it is no id, or several begin like that.
        """
        caller.demand(Permission.ADMINISTER)
        (letter,) = await self._shown([await self._found(caller, written)])
        return letter

    async def retry(self, caller: Caller, written: str) -> int:
        """Have one tried again by its service; return the sequence of that wish.

        Raises:
            ForbiddenError, DeadLetterNotFoundError, InvalidInputError: as `find`.
            DeadLetterOverError: nothing is left to be tried.
        """
        return await self._decide(caller, written, decide_retry)

    async def discard(self, caller: Caller, written: str, reason: str) -> int:
        """Let one be, for a reason that is kept beside the log; return the sequence.

        Raises:
            ForbiddenError, DeadLetterNotFoundError, DeadLetterOverError: as `retry`.
            InvalidInputError: no reason, or one that is too long.
        """
        caller.demand(Permission.ADMINISTER)
        text = _reason(reason)
        note = self.gateway.fresh_id()
        await self._found(caller, written)
        await self.gateway.personal.note(note, text)  # first the text, then what names it
        return await self._decide(caller, written, lambda letter: decide_discard(letter, note))

    async def _decide(self, caller: Caller, written: str, decide: Callable[[DeadLetter], Event]) -> int:
        caller.demand(Permission.ADMINISTER)
        identity = EventId(self.gateway.fresh_id())

        async def attempt() -> int:
            found = await self._found(caller, written)
            try:
                event = decide(found.row)
            except NotOpenError as error:
                raise DeadLetterOverError(ReactionId(found.key), error.status) from error
            key = AggregateKey.of_reaction(found.row.team, ReactionId(found.key))
            signature = Signature(caller.actor, identity, found.row.correlation)
            return await append_all(self.gateway, [Write(key, event, found.sequence)], signature)

        return await decided(self.gateway, attempt)

    async def _found(self, caller: Caller, written: str) -> Versioned[DeadLetter]:
        digits = written.lower().replace("-", "")
        if not _HEX.fullmatch(digits):
            raise InvalidInputError(
                f"{written[:40]!r} is no dead letter's id.",
                field="dead_letter",
                next_step=f"Give the id, or its first {_SHORTEST} or more characters, from `windlass dead-letters`.",
            )
        found = [one for one in await self._candidates(caller, digits) if one.row.team == caller.team]
        if not found:
            raise DeadLetterNotFoundError(digits)
        if len(found) > 1:
            raise InvalidInputError(
                f"Several dead letters begin with {digits}.", field="dead_letter", next_step="Give more of the id."
            )
        return found[0]

    async def _candidates(self, caller: Caller, digits: str) -> Sequence[Versioned[DeadLetter]]:
        if len(digits) == _WHOLE:
            found = await self.gateway.rows.get(DEAD_LETTERS, UUID(digits))
            return [] if found is None else [found]
        everything = await self.gateway.rows.find(DEAD_LETTERS, {"team": caller.team})
        return [one for one in everything if one.key.hex.startswith(digits)]

    async def _shown(self, found: Sequence[Versioned[DeadLetter]]) -> Sequence[Letter]:
        notes = {one.key: note for one in found if (note := getattr(one.row.state, "note", None)) is not None}
        texts = await self.gateway.personal.texts(notes.values())
        about = await self._about({one.row.sequence for one in found})
        return [
            Letter(
                ReactionId(one.key),
                one.row,
                about[one.row.sequence],
                texts.get(notes[one.key]) if one.key in notes else None,
            )
            for one in found
        ]

    async def _about(self, sequences: Collection[int]) -> dict[int, AggregateKey]:
        """Return what events are about. Their subjects say it: in quarantine, an event is read by nobody."""
        messages = [await self.gateway.log.message(sequence) for sequence in sequences]
        return {message.sequence: parse_subject(message.subject)[1] for message in messages}


def _reason(written: str) -> str:
    text = written.strip()
    if not text or len(text) > _LONGEST_REASON:
        what = f"has {len(text)} characters; {_LONGEST_REASON} are the most" if text else "is empty"
        raise InvalidInputError(
            f"The reason {what}.", field="reason", next_step="Say why nothing is lost without this reaction."
        )
    return text
