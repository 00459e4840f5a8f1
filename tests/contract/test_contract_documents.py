"""The published documents of the events say what the code says."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema

from contract import freeze
from windlass_contracts import asyncapi, document
from windlass_contracts.event import published_events
from windlass_contracts.ids import ProjectId, TeamId
from windlass_contracts.lifecycle import TRANSITIONS, Phase
from windlass_contracts.subjects import Aggregate, AggregateKey, Service, parse_subject

DOCS = Path(__file__).parents[2] / "docs"
API: dict[str, Any] = json.loads((DOCS / "asyncapi.json").read_text())
TYPES = sorted(published_events())


@pytest.mark.parametrize(("module", "file"), [("document", "events.md"), ("asyncapi", "asyncapi.json")])
def test_published_document_is_what_its_command_prints(module: str, file: str) -> None:
    made = subprocess.run(
        [sys.executable, "-m", f"windlass_contracts.{module}"], capture_output=True, text=True, check=True
    )

    up_to_date = made.stdout == (DOCS / file).read_text()
    assert up_to_date, f"run `python -m windlass_contracts.{module} > docs/{file}`"


def test_page_tells_of_every_event_its_fields_and_every_phase() -> None:
    page = document.page()

    for name, kind in published_events().items():
        section = page.split(f"### {kind.__name__}\n")[1].split("\n#")[0]
        assert name in section
        assert all(f"`{field}`" in section for field in kind.model_fields)
    assert all(f"| {phase} |" in page for phase in Phase)


def test_every_link_of_the_page_leads_to_a_heading_of_it() -> None:
    page = document.page()
    headings = {line.lstrip("# ").lower() for line in page.splitlines() if line.startswith("#")}

    assert set(re.findall(r"\]\(#([^)]*)\)", page)) <= headings


@pytest.mark.parametrize("path", [*DOCS.glob("*.md"), *DOCS.glob("decisions/*.md")], ids=lambda path: path.name)
def test_links_between_documents_lead_to_files(path: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text())

    assert [link for link in links if not (path.parent / link).exists()] == []


def test_architecture_draws_the_whole_way_of_a_deployment() -> None:
    drawn = "\n".join(re.findall(r"```mermaid\n(.*?)```", (DOCS / "architecture.md").read_text(), flags=re.DOTALL))

    assert {kind.__name__ for _, kind in TRANSITIONS if kind.__name__ not in drawn} == set()
    arrows = set(re.findall(r"^\s*(\w+|\[\*\]) --> (\w+): (\w+)", drawn, flags=re.MULTILINE))
    moves = {
        ("[*]" if before is None else before, after, kind.__name__) for (before, kind), after in TRANSITIONS.items()
    }
    assert {arrow for arrow in arrows if arrow[0] != "open"} <= moves
    assert {after for _, after, _ in arrows} == set(Phase)


def test_every_row_of_every_table_has_as_many_cells_as_its_head() -> None:
    for table in re.findall(r"(?:^\|.*\n)+", document.page(), flags=re.MULTILINE):
        assert len({line.count("|") for line in table.splitlines()}) == 1


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for one in node:
            yield from references(one)


def resolved(reference: str) -> Any:  # noqa: ANN401 - JSON
    node: Any = API
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def test_asyncapi_has_the_shape_of_version_3() -> None:
    read = ApplicationSchema.model_validate(API)

    assert read.asyncapi == "3.0.0"
    assert set(read.channels) == set(Aggregate)


def test_every_reference_leads_somewhere() -> None:
    for reference in set(references(API)):
        assert resolved(reference)


def test_names_of_components_are_those_that_the_specification_allows() -> None:
    for components in API["components"].values():
        assert all(re.fullmatch(r"[a-zA-Z0-9._-]+", name) for name in components)


def test_an_operation_names_only_messages_of_its_own_channel() -> None:
    for operation in API["operations"].values():
        assert operation["action"] in {"send", "receive"}
        messages = [message["$ref"] for message in operation["messages"]]
        assert messages
        assert all(message.startswith(operation["channel"]["$ref"] + "/messages/") for message in messages)


@pytest.mark.parametrize("aggregate", Aggregate)
def test_a_channels_address_is_the_subject_of_its_aggregate(aggregate: Aggregate) -> None:
    channel = API["channels"][aggregate]
    key = AggregateKey(TeamId(uuid4()), None if aggregate.of_team else ProjectId(uuid4()), aggregate, uuid4())
    subject = channel["address"].format(service="builder", team=key.team, project=key.project, id=key.id)

    assert set(re.findall(r"{(\w+)}", channel["address"])) == set(channel["parameters"])
    assert channel["parameters"]["service"]["enum"] == list(Service)
    assert parse_subject(subject) == (Service.BUILDER, key)


@pytest.mark.parametrize("event_type", TYPES)
def test_each_service_sends_exactly_what_it_may_append(event_type: str) -> None:
    kind = published_events()[event_type]
    senders = {
        name.split("-appends-")[0]
        for name, operation in API["operations"].items()
        if operation["action"] == "send"
        and any(one["$ref"].endswith(f"/{event_type}") for one in operation["messages"])
    }

    assert senders == kind.APPENDED_BY


def violations(schema: Any, value: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401 - JSON
    """Check a value against the words of JSON Schema that the contract uses."""
    if "$ref" in schema:
        schema = {**resolved(schema["$ref"]), **{key: one for key, one in schema.items() if key != "$ref"}}
    choices = schema.get("anyOf", schema.get("oneOf"))
    if choices is not None and all(list(violations(choice, value)) for choice in choices):
        yield f"{path} fits no choice"
    if "const" in schema and value != schema["const"]:
        yield f"{path} is not {schema['const']}"
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{path} does not match"
    types = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}
    if "type" in schema and not isinstance(value, types[schema["type"]]):
        yield f"{path} is no {schema['type']}"
    elif isinstance(value, dict):
        yield from (f"{path}.{name} is missing" for name in set(schema.get("required", [])) - value.keys())
        for name in value.keys() & schema.get("properties", {}).keys():
            yield from violations(schema["properties"][name], value[name], f"{path}.{name}")
    elif isinstance(value, list):
        for place, one in enumerate(value):
            yield from violations(schema["items"], one, f"{path}[{place}]")


@pytest.mark.parametrize("event_type", TYPES)
def test_golden_messages_fit_their_published_schemas(event_type: str) -> None:
    message = json.loads((freeze.GOLDEN / f"{event_type}.json").read_text())
    described = API["components"]["messages"][event_type]

    assert list(violations(described["payload"], message["body"])) == []
    assert list(violations(described["headers"], message["headers"])) == []
    assert list(violations(described["payload"], {**message["body"], "id": 1, "data": None})) != []


def test_every_type_is_described_in_words() -> None:
    assert all(len(asyncapi.summary(kind)) > 20 for kind in published_events().values())
