"""The guard of published schemas notices whatever would break a reader, and nothing else."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, create_model

from support.schema_compatibility import breaking_changes, inlined
from windlass_contracts.privacy import PersonalData

Text = Annotated[str, Field(max_length=10), PersonalData.NONE]


class Square(BaseModel):
    kind: Literal["square"] = "square"
    side: int


class Circle(BaseModel):
    kind: Literal["circle"] = "circle"
    radius: Annotated[int, Field(ge=1)]


class Published(BaseModel):
    """What it says."""

    name: Text
    size: Annotated[int, Field(ge=1, le=9)] = 3
    shape: Annotated[Square | Circle, Field(discriminator="kind")]
    more: tuple[Square, ...] = ()
    maybe: Text | None = None


SCHEMA = Published.model_json_schema()


def problems(**fields: Any) -> list[str]:  # noqa: ANN401 - type forms
    """Return what breaks once these fields, each an annotation and a default, stand in place of the published ones."""
    unchanged = {name: (field.rebuild_annotation(), field) for name, field in Published.model_fields.items()}
    changed = create_model("Changed", **{**unchanged, **fields})
    return breaking_changes(inlined(SCHEMA), inlined(changed.model_json_schema()))


def test_the_same_breaks_nothing() -> None:
    assert problems() == []


@pytest.mark.parametrize(
    "field",
    [
        {"new": (Text | None, None)},
        {"size": (Annotated[int, Field(ge=0, le=10, description="another word for it")], 3)},
        {"name": (Annotated[str, Field(max_length=20), PersonalData.NONE], ...)},
    ],
)
def test_a_new_optional_field_and_a_wider_bound_break_nothing(field: dict[str, Any]) -> None:
    assert problems(**field) == []


def test_a_new_member_of_a_union_breaks_nothing() -> None:
    class Triangle(BaseModel):
        kind: Literal["triangle"] = "triangle"

    assert problems(shape=(Annotated[Square | Circle | Triangle, Field(discriminator="kind")], ...)) == []


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ({"name": (Annotated[str, Field(max_length=9), PersonalData.NONE], ...)}, "maxLength was 10 and is 9"),
        ({"name": (Annotated[str, Field(min_length=1, max_length=10), PersonalData.NONE], ...)}, "minLength was None"),
        ({"name": (Annotated[str, Field(pattern="^a", max_length=10), PersonalData.NONE], ...)}, "pattern was None"),
        ({"name": (Annotated[str, Field(max_length=10), PersonalData.NAMED], ...)}, "x-personal-data was 'none'"),
        ({"name": (Annotated[str, Field(max_length=10)], ...)}, "x-personal-data was 'none' and is None"),
        ({"name": (Text, "default")}, "is not required any more"),
        ({"name": (Text | None, None)}, "type was 'string' and is None"),
        ({"size": (Annotated[int, Field(ge=1, le=9)], 4)}, "default was 3 and is 4"),
        ({"size": (Annotated[int, Field(ge=1, le=9)], ...)}, "is required now"),
        ({"size": (Annotated[float, Field(ge=1, le=9)], 3)}, "type was 'integer' and is 'number'"),
        ({"size": (Annotated[int, Field(ge=2, le=9)], 3)}, "minimum was 1 and is 2"),
        ({"shape": (Annotated[Square, Field()], ...)}, "is gone"),
        ({"new": (Text, ...)}, "data.new: is required now"),
        ({"maybe": (Text, "")}, "|0: is gone"),
    ],
)
def test_whatever_else_changes_is_noticed(field: dict[str, Any], told: str) -> None:
    assert told in "\n".join(problems(**field))


def test_a_field_that_is_gone_or_has_another_name_is_noticed() -> None:
    current = inlined(SCHEMA)
    current["properties"]["title"] = current["properties"].pop("name")

    assert "data.name: is gone" in breaking_changes(inlined(SCHEMA), current)


def test_a_change_deep_inside_is_noticed_where_it_is() -> None:
    class Circle(BaseModel):
        kind: Literal["circle"] = "circle"
        radius: Annotated[int, Field(ge=2)]

    changed = problems(shape=(Annotated[Square | Circle, Field(discriminator="kind")], ...))

    assert changed == ["data.shape|1.radius: minimum was 1 and is 2"]


def test_a_word_less_in_an_enumeration_is_noticed_and_a_word_more_is_not() -> None:
    few, many = {"enum": ["a", "b"]}, {"enum": ["a", "b", "c"]}

    assert breaking_changes(few, many) == []
    assert breaking_changes(many, few) == ["data: enum was ['a', 'b', 'c'] and is ['a', 'b']"]
