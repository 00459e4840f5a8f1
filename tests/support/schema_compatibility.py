"""What a change of a published JSON Schema breaks, for those who read events that were written before it.

A later schema may say more (descriptions), have more optional fields, and allow more (bounds, words of an enumeration,
members of a union: readers are upgraded before writers). Whatever else differs is a new version of the type.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]

_WORDS = frozenset({"title", "description", "$defs", "discriminator"})
_STRUCTURE = frozenset({"properties", "required", "items", "anyOf", "oneOf"})
_NOT_RAISED = ("minimum", "minLength", "minItems")
_NOT_LOWERED = ("maximum", "maxLength", "maxItems")
_MAY_GROW = frozenset({"enum", *_NOT_RAISED, *_NOT_LOWERED})


def inlined(schema: Schema, definitions: Schema | None = None) -> dict[str, Any]:
    """Return the schema with its references replaced by what they refer to."""
    known = schema.get("$defs", {}) if definitions is None else definitions

    def replaced(node: Any) -> Any:  # noqa: ANN401 - JSON
        if isinstance(node, list):
            return [replaced(one) for one in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            beside = {key: value for key, value in node.items() if key != "$ref"}
            return {**replaced(known[node["$ref"].removeprefix("#/$defs/")]), **replaced(beside)}
        return {key: replaced(value) for key, value in node.items() if key not in {"$defs", "discriminator"}}

    result: dict[str, Any] = replaced(dict(schema))
    return result


def leaves(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Yield every part of an inlined schema that is not made of others, with its path."""
    for name, field in schema.get("properties", {}).items():
        yield from leaves(field, f"{path}.{name}")
    for keyword in ("anyOf", "oneOf"):
        for place, member in enumerate(schema.get(keyword, [])):
            yield from leaves(member, f"{path}|{place}")
    if "items" in schema:
        yield from leaves(schema["items"], f"{path}[]")
    if not schema.keys() & (_STRUCTURE - {"required"}):
        yield path, schema


def breaking_changes(published: Schema, current: Schema, path: str = "data") -> list[str]:
    """Return what a reader of the published schema would trip over; both schemas are inlined."""
    return [
        *_changed_keywords(published, current, path),
        *_changed_fields(published, current, path),
        *_changed_members(published, current, path),
        *(breaking_changes(published["items"], current.get("items", {}), f"{path}[]") if "items" in published else ()),
    ]


def _changed_keywords(published: Schema, current: Schema, path: str) -> Iterator[str]:
    for keyword in sorted((published.keys() | current.keys()) - _WORDS - _STRUCTURE):
        before, after = published.get(keyword), current.get(keyword)
        if before != after and not (keyword in _MAY_GROW and _grew(keyword, before, after)):
            yield f"{path}: {keyword} was {before!r} and is {after!r}"


def _grew(keyword: str, before: Any, after: Any) -> bool:  # noqa: ANN401 - JSON
    if before is None:
        return False
    if keyword == "enum":
        return after is not None and set(before) <= set(after)
    return after is None or (after < before if keyword in _NOT_RAISED else after > before)


def _changed_fields(published: Schema, current: Schema, path: str) -> Iterator[str]:
    before, after = published.get("properties", {}), current.get("properties", {})
    for name, field in before.items():
        if name not in after:
            yield f"{path}.{name}: is gone"
        else:
            yield from breaking_changes(field, after[name], f"{path}.{name}")
    required_before, required_after = set(published.get("required", [])), set(current.get("required", []))
    for name in sorted(required_before ^ required_after):
        yield f"{path}.{name}: {'is required now' if name in required_after else 'is not required any more'}"


def _changed_members(published: Schema, current: Schema, path: str) -> Iterator[str]:
    for keyword in ("anyOf", "oneOf"):
        candidates: Sequence[Schema] = current.get(keyword, [])
        for place, member in enumerate(published.get(keyword, [])):
            problems = [breaking_changes(member, candidate, f"{path}|{place}") for candidate in candidates]
            if all(problems) or not problems:
                yield from min(problems, key=len, default=[f"{path}|{place}: is gone"])
