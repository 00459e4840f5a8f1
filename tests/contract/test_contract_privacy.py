"""The log is kept for ever, so every text in it says why it may be."""

from typing import Any

import pytest
from annotated_types import BaseMetadata
from pydantic import BaseModel, TypeAdapter

from contract import freeze
from support.schema_compatibility import inlined, leaves
from windlass_contracts.config import DeploymentConfig
from windlass_contracts.event import Record, published_events
from windlass_contracts.events.deployment import GitSource, ImageSource, UploadSource
from windlass_contracts.ids import NoteId, PersonId, SecretId
from windlass_contracts.privacy import SCHEMA_KEY, PersonalData

NOT_FREE_TEXT = frozenset({"const", "enum"})
MACHINE_FORMATS = frozenset({"uuid", "date-time"})


def texts(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the parts of a schema in which arbitrary text could stand."""
    return {
        path: leaf
        for path, leaf in leaves(inlined(schema))
        if leaf.get("type") == "string"
        and leaf.get("format") not in MACHINE_FORMATS
        and not leaf.keys() & NOT_FREE_TEXT
    }


@pytest.mark.parametrize("name", [*sorted(published_events()), freeze.ENVELOPE])
def test_every_text_says_what_it_tells_about_people(name: str) -> None:
    classes = {path: leaf.get(SCHEMA_KEY) for path, leaf in texts(freeze.current_schemas()[name]).items()}

    assert {path for path, said in classes.items() if said not in set(PersonalData)} == set()


@pytest.mark.parametrize("name", [*sorted(published_events()), freeze.ENVELOPE])
def test_every_text_is_bounded(name: str) -> None:
    unbounded = {
        path
        for path, leaf in texts(freeze.current_schemas()[name]).items()
        if "maxLength" not in leaf and "pattern" not in leaf
    }

    assert unbounded == set()


def test_text_without_a_class_is_noticed() -> None:
    class Careless(BaseModel):
        names: tuple[str, ...] | None = None

    assert list(texts(Careless.model_json_schema())) == [".names|0[]"]


@pytest.mark.parametrize("name", [*sorted(published_events()), freeze.ENVELOPE])
def test_every_number_stays_exact_in_every_reader(name: str) -> None:
    numbers = [leaf for _, leaf in leaves(inlined(freeze.current_schemas()[name])) if leaf.get("type") == "integer"]

    assert all(-(2**53) < leaf["minimum"] <= leaf["maximum"] < 2**53 for leaf in numbers)


@pytest.mark.parametrize("name", [*sorted(published_events()), freeze.ENVELOPE])
def test_no_event_holds_a_number_that_is_not_whole(name: str) -> None:
    assert all(leaf.get("type") != "number" for _, leaf in leaves(inlined(freeze.current_schemas()[name])))


@pytest.mark.parametrize("kind", [PersonId, NoteId, SecretId])
def test_ids_of_what_can_be_deleted_are_marked_as_pseudonyms(kind: Any) -> None:  # noqa: ANN401 - a type form
    assert TypeAdapter(kind).json_schema()[SCHEMA_KEY] == PersonalData.PSEUDONYM


def records(kind: type[Record] = Record) -> list[type[Record]]:
    return [kind, *(deeper for child in kind.__subclasses__() for deeper in records(child))]


@pytest.mark.parametrize("kind", records())
def test_no_bound_is_overruled_by_another_of_its_kind(kind: type[Record]) -> None:
    """Pydantic lets the last of two bounds win without a word."""
    for name, field in kind.model_fields.items():
        bounds = [type(bound).__name__ for bound in field.metadata if isinstance(bound, BaseMetadata)]
        assert len(bounds) == len(set(bounds)), f"{kind.__name__}.{name}: {bounds}"


@pytest.mark.parametrize("kind", records())
def test_a_field_that_may_be_missing_means_nothing_when_it_is(kind: type[Record]) -> None:
    """None is left out on the way, so a field that takes None must be None where it is missing."""
    fields = kind.model_json_schema().get("properties", {})
    for name, field in kind.model_fields.items():
        if {"type": "null"} in fields[name].get("anyOf", []):
            assert not field.is_required(), f"{kind.__name__}.{name}"
            assert field.default is None, f"{kind.__name__}.{name}"


@pytest.mark.parametrize("kind", [DeploymentConfig, GitSource, UploadSource, ImageSource])
def test_a_writer_names_only_fields_that_exist(kind: type[Record]) -> None:
    with pytest.raises(ValueError, match="Extra inputs are not permitted"):
        kind.model_validate({"not_a_field": 1})
