"""All events as AsyncAPI 3: `python -m windlass_contracts.asyncapi > docs/asyncapi.json`.

Source: https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

import json
import sys
from typing import Any

from pydantic.json_schema import models_json_schema

from windlass_contracts.cloudevent import CONTENT_TYPE, MESSAGE_ID_HEADER, TYPE_HEADER, envelope_class
from windlass_contracts.event import Event, published_events
from windlass_contracts.subjects import STREAM, Aggregate, Service

VERSION = "1.0.0"
_SCHEMAS = "#/components/schemas/"
_UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def summary(kind: type[Event]) -> str:
    """Return what a type of event says: the whole of its docstring, on one line."""
    return " ".join((kind.__doc__ or "").split())


def about(aggregate: Aggregate) -> list[type[Event]]:
    """Return the types of events about a kind of aggregate, in the order in which they are declared."""
    return [kind for kind in published_events().values() if kind.AGGREGATE is aggregate]


def document() -> dict[str, Any]:
    """Return the AsyncAPI document of everything that is published."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Windlass events",
            "version": VERSION,
            "description": f"Everything that happens, on the JetStream stream {STREAM}: read it from any sequence on. "
            "A version of a type never changes but for optional fields that are added.",
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {str(aggregate): _channel(aggregate) for aggregate in Aggregate},
        "operations": {
            **{f"read-{aggregate}": _operation("receive", aggregate, about(aggregate)) for aggregate in Aggregate},
            **{
                f"{service}-appends-{aggregate}": _operation("send", aggregate, appended)
                for service in Service
                for aggregate in Aggregate
                if (appended := [kind for kind in about(aggregate) if service in kind.APPENDED_BY])
            },
        },
        "components": {
            "messages": {name: _message(kind) for name, kind in published_events().items()},
            "schemas": _schemas(),
        },
    }


def _channel(aggregate: Aggregate) -> dict[str, Any]:
    return {
        "address": f"evt.{{service}}.{{team}}.{'_' if aggregate.of_team else '{project}'}.{aggregate}.{{id}}",
        "title": f"Events about {aggregate}",
        "parameters": {
            "service": {"description": "Who appends.", "enum": [str(service) for service in Service]},
            "team": {"description": "The team's id."},
            **({} if aggregate.of_team else {"project": {"description": "The project's id."}}),
            "id": {"description": "The aggregate's id: the project's, where a project has one of the kind."},
        },
        "messages": {kind.TYPE: {"$ref": f"#/components/messages/{kind.TYPE}"} for kind in about(aggregate)},
    }


def _operation(action: str, aggregate: Aggregate, kinds: list[type[Event]]) -> dict[str, Any]:
    channel = f"#/channels/{aggregate}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{kind.TYPE}"} for kind in kinds],
    }


def _message(kind: type[Event]) -> dict[str, Any]:
    headers = {
        MESSAGE_ID_HEADER: {"type": "string", "pattern": f"^{_UUID}$", "description": "the event's id"},
        TYPE_HEADER: {"type": "string", "const": kind.TYPE},
        "Content-Type": {"type": "string", "const": CONTENT_TYPE},
        "traceparent": {"type": "string", "description": "W3C trace context, where the event belongs to a trace"},
    }
    return {
        "name": kind.TYPE,
        "title": kind.__name__,
        "summary": summary(kind),
        "contentType": CONTENT_TYPE,
        "correlationId": {"location": "$message.payload#/correlation"},
        "headers": {
            "type": "object",
            "properties": headers,
            "required": [MESSAGE_ID_HEADER, TYPE_HEADER, "Content-Type"],
        },
        "payload": {"$ref": _SCHEMAS + _schema_name(kind)},
    }


def _schema_name(kind: type[Event]) -> str:
    """Return the name that pydantic gives to the schema of a type's envelope."""
    return envelope_class(kind).__name__.translate(str.maketrans("[]", "__"))


def _schemas() -> dict[str, Any]:
    """Return the schemas of all envelopes and of what is in them, each under a name of its own."""
    _, together = models_json_schema(
        [(envelope_class(kind), "validation") for kind in published_events().values()],
        ref_template=_SCHEMAS + "{model}",
    )
    schemas: dict[str, Any] = together["$defs"]
    for name, kind in published_events().items():
        envelope = schemas[_schema_name(kind)]
        envelope["title"] = f"{kind.__name__} as a CloudEvent"
        envelope["properties"]["type"] = {"const": name, "type": "string"}
    return schemas


if __name__ == "__main__":
    sys.stdout.write(json.dumps(document(), indent=2, ensure_ascii=False) + "\n")
