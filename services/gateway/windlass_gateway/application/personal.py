"""Names of people and texts that they wrote: beside the log, under the ids that events carry, and deletable there."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from windlass_contracts.ids import NoteId, PersonId
from windlass_eventlog.buckets import KeyValue
from windlass_eventlog.errors import KeyTakenError

_MOST_INTRODUCED = 10_000


class Person(BaseModel):
    """What the bucket PEOPLE holds of somebody, as JSON."""

    model_config = ConfigDict(frozen=True)

    name: str
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Personal:
    """Both buckets. What was deleted there is simply not found any more."""

    people: KeyValue
    notes: KeyValue
    _introduced: set[PersonId] = field(default_factory=set)

    async def introduce(self, identity: PersonId, person: Person) -> None:
        """Store somebody who is not known yet; who was introduced since this process began is not asked for again."""
        if identity in self._introduced:
            return
        with suppress(KeyTakenError):
            await self.people.create(str(identity), person.model_dump_json(exclude_none=True).encode())
        if len(self._introduced) >= _MOST_INTRODUCED:
            self._introduced.clear()
        self._introduced.add(identity)

    async def note(self, identity: NoteId, text: str) -> None:
        """Store a text under an id that is this text's alone; storing it again changes nothing."""
        with suppress(KeyTakenError):
            await self.notes.create(str(identity), text.encode(errors="replace"))

    async def names(self, ids: Iterable[PersonId]) -> Mapping[UUID, str]:
        """Return the names of those people who are known, by id."""
        found = await _all_of(self.people, ids)
        people = {identity: _person(content) for identity, content in found.items()}
        return {identity: person.name for identity, person in people.items() if person is not None}

    async def texts(self, ids: Iterable[NoteId]) -> Mapping[UUID, str]:
        """Return the notes that are there, by id."""
        found = await _all_of(self.notes, ids)
        return {identity: content.decode(errors="replace") for identity, content in found.items()}


async def _all_of(bucket: KeyValue, ids: Iterable[UUID]) -> dict[UUID, bytes]:
    distinct = list(dict.fromkeys(ids))
    contents = await asyncio.gather(*(bucket.get(str(identity)) for identity in distinct))
    return {identity: content for identity, content in zip(distinct, contents, strict=True) if content is not None}


def _person(content: bytes) -> Person | None:
    try:
        return Person.model_validate_json(content)
    except ValidationError:
        return None
