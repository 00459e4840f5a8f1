"""Freeze what is published: `python tests/contract/freeze.py` writes the golden files that are missing, and no other.

`golden/<type>.json` is a message as it went out first, `golden/<type>.schema.json` the JSON Schema of its data. When a
type has got optional fields since, its schema is frozen beside the first one as `<type>.schema.2.json`, and so on: all
of them bind.
"""

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.contract_examples import EXAMPLES, INSTALLATION
from support.schema_compatibility import breaking_changes, inlined
from windlass_contracts.cloudevent import Envelope, encode
from windlass_contracts.event import Event, published_events

GOLDEN = Path(__file__).parent / "golden"
ENVELOPE = "envelope"


def current_schemas() -> dict[str, dict[str, Any]]:
    """Return the schema of each type's data, and of the envelope around any of them."""
    schemas = {name: kind.model_json_schema() for name, kind in published_events().items()}
    return {**schemas, ENVELOPE: Envelope[Event].model_json_schema()}


def current_message(event_type: str) -> dict[str, Any]:
    """Return the example of a type as it goes out now."""
    subject, headers, body = encode(EXAMPLES[event_type], INSTALLATION)
    return {"subject": subject, "headers": headers, "body": json.loads(body)}


def frozen_schemas(name: str) -> list[dict[str, Any]]:
    """Return all schemas of a type that were ever published, the first one first."""
    paths = [GOLDEN / f"{name}.schema.json"]
    while (later := GOLDEN / f"{name}.schema.{len(paths) + 1}.json").exists():
        paths.append(later)
    return [json.loads(path.read_text()) for path in paths if path.exists()]


def says_no_more(schema: dict[str, Any], published: dict[str, Any]) -> bool:
    """Whether a schema allows nothing that the published one does not allow as well."""
    return breaking_changes(inlined(schema), inlined(published)) == []


def _write_new(name: str, content: dict[str, Any]) -> None:
    with (GOLDEN / name).open("x") as file:
        file.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    print(f"frozen: {name}")  # noqa: T201 - a command says what it did


def _freeze_schema(name: str, schema: dict[str, Any]) -> list[str]:
    frozen = frozen_schemas(name)
    problems = [why for one in frozen for why in breaking_changes(inlined(one), inlined(schema), name)]
    if not problems and not (frozen and says_no_more(schema, frozen[-1])):
        number = f".{len(frozen) + 1}" if frozen else ""
        _write_new(f"{name}.schema{number}.json", schema)
    return problems


def main() -> int:
    """Write what is missing; refuse what would change something that was published."""
    GOLDEN.mkdir(exist_ok=True)
    problems = [why for name, schema in current_schemas().items() for why in _freeze_schema(name, schema)]
    for event_type in EXAMPLES:
        if not (GOLDEN / f"{event_type}.json").exists():
            _write_new(f"{event_type}.json", current_message(event_type))
    for why in problems:
        print(f"refused: {why}: publish a new version of the type instead", file=sys.stderr)  # noqa: T201
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
