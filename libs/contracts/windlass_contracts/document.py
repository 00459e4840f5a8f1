"""All events as a page to read: `python -m windlass_contracts.document > docs/events.md`."""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from windlass_contracts.asyncapi import about, summary
from windlass_contracts.cloudevent import CONTENT_TYPE, MAX_EVENT_BYTES, MESSAGE_ID_HEADER, TYPE_HEADER, Envelope
from windlass_contracts.event import Event, published_events
from windlass_contracts.lifecycle import TRANSITIONS, Phase
from windlass_contracts.privacy import SCHEMA_KEY, PersonalData
from windlass_contracts.subjects import PROJECT_REGISTRY, STREAM, Aggregate

Schema = Mapping[str, Any]

_INTRODUCTION = f"""\
# Events

This page is made by `python -m windlass_contracts.document`; a test holds it to the code. The same for programs is
[asyncapi.json](asyncapi.json).

Everything that happens is an event on the JetStream stream `{STREAM}`, kept for ever. Its subject is

    evt.<service>.<team>.<project>.<aggregate>.<id>

where `<service>` is who appended it, and team, project and id are UUIDs (`_` for the project of what belongs to a
team as a whole). An aggregate is appended to with the expected
sequence of `evt.*.<team>.<project>.<aggregate>.<id>`, so two writers never both win; a project is created with that of
`{PROJECT_REGISTRY}`, so no name is ever given twice.

A message is a [CloudEvent](https://cloudevents.io) 1.0 in structured JSON (`{CONTENT_TYPE}`) of at most
{MAX_EVENT_BYTES // 1024} KiB. Its headers repeat the event's id (`{MESSAGE_ID_HEADER}`), its type (`{TYPE_HEADER}`) and
its trace context (`traceparent`). A field that is not there is null.

A published version of a type never changes. It may get optional fields, and may allow more than before; whoever reads
ignores fields that it does not know, and is upgraded before those who write. All else is a new version of the type.

The column *people* says why a text may be kept for ever: `none`, machines made it of machines' facts; `pseudonym`, an
opaque id whose meaning lies in a key-value bucket and is deleted there; `named`, the name that somebody gave to a
thing."""


def page() -> str:
    """Return the whole page."""
    return "\n\n".join([_INTRODUCTION, *_envelope(), *_aggregates(), *_parts(), *_lifecycle()]) + "\n"


def _envelope() -> Iterator[str]:
    yield "## The attributes around every event"
    yield _fields(Envelope[Event].model_json_schema())


def _aggregates() -> Iterator[str]:
    for aggregate in Aggregate:
        yield f"## About `{aggregate}`"
        for kind in sorted(about(aggregate), key=_place_in_life):
            yield f"### {kind.__name__}"
            yield f"`{kind.TYPE}`, appended by {_listed(sorted(kind.APPENDED_BY))}. {summary(kind)}"
            fields = _fields(kind.model_json_schema())
            if fields:
                yield fields


_IN_LIFE = {kind: place for place, (_, kind) in reversed(list(enumerate(TRANSITIONS)))}


def _place_in_life(kind: type[Event]) -> int:
    """Return where an event comes first in a deployment's life; events about other things keep their order."""
    return _IN_LIFE.get(kind, 0)


def _parts() -> Iterator[str]:
    yield "## Parts of events"
    parts: dict[str, Schema] = {}
    for kind in published_events().values():
        parts |= kind.model_json_schema().get("$defs", {})
    for name, schema in sorted(parts.items()):
        yield f"### {name}"
        yield " ".join(schema.get("description", "").split())
        yield _listed(f"`{word}`" for word in schema["enum"]) + "." if "enum" in schema else _fields(schema)


def _lifecycle() -> Iterator[str]:
    yield "## The life of a deployment"
    yield "What is not in this table is refused, by whoever wants to append it."
    rows = ["| phase | event | then |", "|---|---|---|"]
    for phase in (None, *Phase):
        for (before, kind), after in TRANSITIONS.items():
            if before is phase:
                rows.append(f"| {phase or '(none)'} | {kind.__name__} | {'stays' if after is phase else after} |")
    yield "\n".join(rows)


def _fields(schema: Schema) -> str:
    """Return a table of an object's fields; nothing where it has none."""
    required = schema.get("required", [])
    rows = [
        f"| `{name}` | {_kind(field)} | {_presence(name in required, field)} | {_people(field)} "
        f"| {' '.join(field.get('description', '').split())} |"
        for name, field in schema.get("properties", {}).items()
    ]
    return "\n".join(["| field | | | people | |", "|---|---|---|---|---|", *rows]) if rows else ""


def _presence(is_required: bool, field: Schema) -> str:  # noqa: FBT001 - one of two words
    default = field.get("default")
    simple = isinstance(default, str | int) and "const" not in field
    return "" if is_required else f"optional, {str(default).lower()}" if simple else "optional"


def _people(field: Schema) -> str:
    inner = [field, field.get("items", {}), *field.get("anyOf", [])]
    return next((str(PersonalData(one[SCHEMA_KEY])) for one in inner if SCHEMA_KEY in one), "")


def _kind(field: Schema) -> str:
    """Return the kind of a field's values in a few words."""
    if "$ref" in field:
        name = field["$ref"].rsplit("/", 1)[-1]
        return "object" if name == Event.__name__ else f"[{name}](#{name.lower()})"
    choices = [one for one in (*field.get("anyOf", []), *field.get("oneOf", [])) if one.get("type") != "null"]
    if choices:
        return " or ".join(map(_kind, choices))
    if "const" in field:
        return f"`{field['const']}`"
    if field["type"] == "array":
        return f"list{_bounds(field, 'Items')} of {_kind(field['items'])}"
    if field["type"] == "integer":
        return f"integer{_range(field)}"
    return {"uuid": "UUID", "date-time": "time"}.get(
        field.get("format", ""), f"{field['type']}{_bounds(field, 'Length')}"
    )


def _bounds(field: Schema, of: str) -> str:
    most = field.get(f"max{of}")
    return "" if most is None else f" (at most {most:,})"


def _range(field: Schema) -> str:
    least, most = field["minimum"], field["maximum"]
    return f" ≥ {least:,}" if most > 2**48 else f" {least:,} to {most:,}"


def _listed(words: Iterator[str] | list[Any]) -> str:
    *first, last = map(str, words)
    return f"{', '.join(first)} or {last}" if first else last


if __name__ == "__main__":
    sys.stdout.write(page())
