"""Hypothesis strategies for everything in the contract, read from the types of its fields."""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from windlass_contracts.cloudevent import Actor, Metadata, Proposed, TraceParent
from windlass_contracts.event import Event
from windlass_contracts.ids import DeploymentId, EventId, ProjectId, TeamId
from windlass_contracts.source_values import RepositoryUrl
from windlass_contracts.subjects import Aggregate, AggregateKey
from windlass_contracts.values import Address, Command, Moment

ids = st.uuids()
times = st.datetimes(datetime(2020, 1, 2), datetime(2099, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - with zones

repository_urls = st.builds(
    "{}://{}{}/{}".format,
    st.sampled_from(["https", "http", "ssh", "git"]),
    st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?\.[a-z]{2,6}", fullmatch=True),
    st.one_of(st.just(""), st.integers(1, 65_535).map(":{}".format)),
    st.from_regex(r"[A-Za-z0-9._~%-]{1,20}", fullmatch=True),
)

# Types whose rule is code, of which arbitrary text would hardly ever hit a valid value.
_EXPLICIT: tuple[tuple[Any, st.SearchStrategy[Any]], ...] = (
    (RepositoryUrl, repository_urls),
    (Moment, times),
    (Address, st.ip_addresses().map(str).filter(lambda text: "%" not in text)),
    (Command, st.text(min_size=1, max_size=200).filter(lambda text: _accepts(Command, text))),
)


def _accepts(hint: Any, value: object) -> bool:  # noqa: ANN401 - a type form
    try:
        TypeAdapter(hint).validate_python(value)
    except ValidationError:
        return False
    return True


def values(hint: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401, PLR0911 - a type form; one return for each form
    """Return a strategy for the values that a field of this type may have."""
    for known, strategy in _EXPLICIT:
        if hint == known:
            return strategy
    supertype = getattr(hint, "__supertype__", None)
    if supertype is not None:
        return values(supertype)
    origin = get_origin(hint)
    if origin is Annotated:
        return _constrained(hint)
    if origin in {Union, UnionType}:
        return st.one_of(*map(values, get_args(hint)))
    if origin is Literal:
        return st.sampled_from(get_args(hint))
    if origin is tuple:
        return st.lists(values(get_args(hint)[0]), max_size=3).map(tuple)
    if hint is NoneType:
        return st.none()
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return models(hint)
    return st.sampled_from(hint) if isinstance(hint, type) and issubclass(hint, Enum) else st.from_type(hint)


def _constrained(hint: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401 - a type form
    base = get_args(hint)[0]
    schema = TypeAdapter(hint).json_schema()
    if base is int:
        return st.integers(schema["minimum"], schema["maximum"])
    if base is str:
        candidates = (
            st.from_regex(schema["pattern"], fullmatch=True)
            if "pattern" in schema
            else st.text(min_size=1, max_size=min(60, schema.get("maxLength", 60)))
        )
        return candidates.filter(lambda text: _accepts(hint, text))
    if get_origin(base) is tuple:
        return st.lists(values(get_args(base)[0]), min_size=schema.get("minItems", 0), max_size=3).map(tuple)
    return values(base)


def models(kind: type[BaseModel]) -> st.SearchStrategy[Any]:
    """Return a strategy for a model; its own rules across fields choose among what its fields allow."""
    hints = get_type_hints(kind, include_extras=True)
    fields = {name: values(hints[name]) for name in kind.model_fields}
    return st.fixed_dictionaries(fields).map(_built(kind)).filter(lambda built: built is not None)


def _built(kind: type[BaseModel]) -> Callable[[dict[str, Any]], BaseModel | None]:
    def build(given: dict[str, Any]) -> BaseModel | None:
        try:
            return kind(**given)
        except ValidationError:
            return None

    return build


def metadata() -> st.SearchStrategy[Metadata]:
    return st.builds(
        Metadata,
        id=ids.map(EventId),
        time=times,
        actor=values(Actor),
        correlation=ids.map(EventId),
        causation=st.none() | ids.map(EventId),
        traceparent=st.none() | values(TraceParent),
    )


def keys(aggregate: Aggregate) -> st.SearchStrategy[AggregateKey]:
    project = st.none() if aggregate.of_team else ids.map(ProjectId)
    return st.builds(AggregateKey, ids.map(TeamId), project, st.just(aggregate), ids.map(DeploymentId))


def proposals(kind: type[Event]) -> st.SearchStrategy[Proposed[Event]]:
    """Return a strategy for an event of a type, about any aggregate, by any service that may append it."""
    return st.builds(
        Proposed,
        service=st.sampled_from(sorted(kind.APPENDED_BY)),
        key=keys(kind.AGGREGATE),
        event=models(kind),
        metadata=metadata(),
    )
