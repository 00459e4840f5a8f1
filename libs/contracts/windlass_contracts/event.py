"""What every event is: frozen, versioned, about one kind of aggregate, appended by named services only."""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from windlass_contracts.errors import UnknownEventTypeError
from windlass_contracts.subjects import Aggregate, Service


def _open_to_later_fields(schema: dict[str, Any]) -> None:
    schema.pop("additionalProperties", None)


class Record(BaseModel):
    """A part of an event.

    Who writes one names only fields that exist; who reads one (`cloudevent.decode`) ignores those that a later release
    added, and so does its JSON Schema.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, json_schema_extra=_open_to_later_fields
    )


class Event(Record):
    """Something that happened.

    A subclass names its versioned type, its kind of aggregate and who may append it; naming them publishes it.
    """

    TYPE: ClassVar[str]
    AGGREGATE: ClassVar[Aggregate]
    APPENDED_BY: ClassVar[frozenset[Service]]

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: object) -> None:
        """Register the type; two events under one type are a mistake of the program."""
        super().__pydantic_init_subclass__(**kwargs)
        if _PUBLISHED.setdefault(cls.TYPE, cls) is not cls:
            msg = f"{cls.TYPE} is published twice"
            raise TypeError(msg)


_PUBLISHED: dict[str, type[Event]] = {}


def published_events() -> dict[str, type[Event]]:
    """Return all event types that this release knows, by their versioned names."""
    return dict(_PUBLISHED)


def event_class(event_type: str) -> type[Event]:
    """Return the class of a versioned type.

    Raises:
        UnknownEventTypeError: this release does not know it.
    """
    try:
        return _PUBLISHED[event_type]
    except KeyError as error:
        raise UnknownEventTypeError(event_type) from error
