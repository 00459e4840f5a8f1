"""The use cases of operators: operations of services, and events that a service may pass over."""

import json
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from windlass_contracts.ids import NoteId
from windlass_contracts.subjects import Service
from windlass_eventlog.buckets import KeyValue
from windlass_eventlog.clock import Clock
from windlass_eventlog.errors import KeyTakenError
from windlass_eventlog.operations import (
    OF_PROJECTS,
    Answer,
    Asking,
    BusyError,
    Done,
    Halt,
    Kind,
    Request,
    Standing,
    VolumeNamed,
)
from windlass_eventlog.projection import Rows
from windlass_gateway.application.access import Caller, Permission
from windlass_gateway.application.finding import Finder
from windlass_gateway.application.personal import Personal
from windlass_gateway.domain.refusals import (
    InvalidInputError,
    NoSignOfLifeError,
    NotHaltedError,
    OperationUnderWayError,
)


@dataclass(frozen=True, slots=True)
class Operating:
    """Asks services for operations."""

    asking: Asking
    rows: Rows

    async def ask(self, caller: Caller, service: Service, kind: Kind, project: str | None = None) -> Request:
        """Ask for an operation, of one project where it is named.

        Raises:
            ForbiddenError: they may not.
            ProjectNotFoundError: there is none of that name.
            InvalidInputError: the operation is about no project.
            OperationUnderWayError: the service is at another one.
            EventLogError: the bucket did not answer.
        """
        caller.demand(Permission.ADMINISTER)
        try:
            return await self.asking.ask(service, kind, caller.actor, await self._project(caller, kind, project))
        except BusyError as busy:
            raise OperationUnderWayError(str(busy)) from busy

    async def ask_about(
        self, caller: Caller, service: Service, kind: Kind, project: UUID, volume: VolumeNamed
    ) -> Request:
        """Ask for an operation on one volume.

        Raises:
            ForbiddenError, OperationUnderWayError, EventLogError: as `ask`.
        """
        caller.demand(Permission.ADMINISTER)
        try:
            return await self.asking.ask(service, kind, caller.actor, project, volume)
        except BusyError as busy:
            raise OperationUnderWayError(str(busy)) from busy

    async def _project(self, caller: Caller, kind: Kind, project: str | None) -> UUID | None:
        if project is None:
            return None
        if kind not in OF_PROJECTS:
            raise InvalidInputError(
                f"{kind} is about no project.", field="project", next_step="Ask for it without naming one."
            )
        return (await Finder(self.rows, caller.team).project(project)).key

    def follow(self, caller: Caller, service: Service, request: UUID) -> AsyncGenerator[Answer, None]:
        """Return what the service says of a request, until its end.

        Raises:
            ForbiddenError: they may not see it.
        """
        caller.demand(Permission.ADMINISTER)
        return self.asking.follow(service, request)

    async def standing(self, caller: Caller, service: Service) -> Standing:
        """Return how far a service is.

        Raises:
            ForbiddenError, OperationUnderWayError: as `ask`.
            NoSignOfLifeError: the service does not say.
        """
        caller.demand(Permission.ADMINISTER)
        try:
            end = await self.asking.outcome(service, Kind.STATE, caller.actor)
        except BusyError as busy:
            raise OperationUnderWayError(str(busy)) from busy
        if isinstance(end, Done):
            if isinstance(end.result, Standing):
                return end.result
            raise TypeError(end)
        raise NoSignOfLifeError(end.reason, end.remedy)


class Entry(BaseModel):
    """What the bucket QUARANTINE holds under `<service>.<sequence>`; the reason is a text in NOTES."""

    model_config = ConfigDict(frozen=True)

    by: str
    at: datetime
    note: NoteId


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An event that a service passes over, and why."""

    service: Service
    sequence: int
    entry: Entry
    reason: str | None


@dataclass(frozen=True, slots=True)
class Quarantining:
    """Lets services pass over what they cannot read. An entry is never taken back: rebuilds honour it too."""

    bucket: KeyValue
    personal: Personal
    operating: Operating
    clock: Clock
    fresh_id: Callable[[], UUID]

    async def add(self, caller: Caller, service: Service, sequence: int, reason: str) -> Quarantined:
        """Let a service pass over the event at which it stands still.

        Raises:
            ForbiddenError: they may not.
            NotHaltedError: the service does not stand still there.
            NoSignOfLifeError, OperationUnderWayError: the service does not say where it stands.
            EventLogError: a bucket did not answer.
        """
        caller.demand(Permission.ADMINISTER)
        known = await self._known(service, sequence)
        if known is not None:
            return known
        standing = await self.operating.standing(caller, service)
        _check(service, sequence, standing.halt)
        entry = Entry(by=caller.actor, at=self.clock(), note=self.fresh_id())
        await self.personal.note(entry.note, reason)  # first the text, then what names it
        try:
            await self.bucket.create(_key(service, sequence), entry.model_dump_json().encode())
        except KeyTakenError:  # somebody else did the same at the same moment
            found = await self._known(service, sequence)
            if found is None:
                raise
            return found
        return Quarantined(service, sequence, entry, reason)

    async def list(self, caller: Caller) -> list[Quarantined]:
        """Return all entries, by service and sequence.

        Raises:
            ForbiddenError: they may not see them.
        """
        caller.demand(Permission.ADMINISTER)
        places = sorted([place async for key in self.bucket.keys() if (place := _place(key)) is not None])  # noqa: SIM118 - a bucket is no dictionary
        found = [await self._known(service, sequence) for service, sequence in places]
        return [one for one in found if one is not None]

    async def _known(self, service: Service, sequence: int) -> Quarantined | None:
        content = await self.bucket.get(_key(service, sequence))
        if content is None:
            return None
        try:
            entry = Entry.model_validate(json.loads(content))
        except (ValueError, ValidationError):
            return None
        texts = await self.personal.texts([entry.note])
        return Quarantined(service, sequence, entry, texts.get(entry.note))


def _check(service: Service, sequence: int, halt: Halt | None) -> None:
    """Let through what a service stands still at.

    Raises:
        NotHaltedError: it is another event, or none.
    """
    if halt is None or halt.sequence != sequence:
        raise NotHaltedError(service, sequence, None if halt is None else halt.sequence)


def _key(service: Service, sequence: int) -> str:
    return f"{service}.{sequence}"


def _place(key: str) -> tuple[Service, int] | None:
    service, _, sequence = key.partition(".")
    try:
        return Service(service), int(sequence)
    except ValueError:
        return None
