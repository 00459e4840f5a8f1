"""What was published stays as it is: `golden/` holds it, and nothing but `freeze.py` writes there."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from contract import freeze
from support.contract_examples import EXAMPLES, INSTALLATION, SEQUENCE
from support.schema_compatibility import breaking_changes, inlined
from windlass_contracts.cloudevent import MAX_EVENT_BYTES, Recorded, decode
from windlass_contracts.event import published_events

TYPES = sorted(published_events())
SCHEMAS = [*TYPES, freeze.ENVELOPE]


def golden(name: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads((freeze.GOLDEN / name).read_text())


def contains(whole: Any, part: Any) -> bool:  # noqa: ANN401 - JSON
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and contains(whole[key], part[key]) for key in part)
    if isinstance(part, list):
        return isinstance(whole, list) and len(whole) == len(part) and all(map(contains, whole, part))
    return bool(whole == part)


def test_every_published_type_is_frozen_and_nothing_frozen_was_withdrawn() -> None:
    frozen = {path.name.split(".schema")[0].removesuffix(".json") for path in freeze.GOLDEN.iterdir()}

    assert frozen == set(SCHEMAS)


@pytest.mark.parametrize("name", SCHEMAS)
def test_published_schema_is_never_broken_in_place(name: str) -> None:
    current = inlined(freeze.current_schemas()[name])

    for published in freeze.frozen_schemas(name):
        assert breaking_changes(inlined(published), current, name) == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_everything_that_is_published_is_frozen(name: str) -> None:
    current, published = freeze.current_schemas()[name], freeze.frozen_schemas(name)[-1]

    added = "something was added: run `python tests/contract/freeze.py`, so that it is frozen as well"
    assert freeze.says_no_more(current, published), added


@pytest.mark.parametrize("event_type", TYPES)
def test_golden_message_is_read_as_the_event_it_was(event_type: str) -> None:
    message, example = golden(f"{event_type}.json"), EXAMPLES[event_type]

    recorded = decode(SEQUENCE, message["subject"], message["headers"], json.dumps(message["body"]).encode())

    assert recorded == Recorded(SEQUENCE, INSTALLATION, example.service, example.key, example.event, example.metadata)


@pytest.mark.parametrize("event_type", TYPES)
def test_event_still_goes_out_as_its_golden_message(event_type: str) -> None:
    assert contains(freeze.current_message(event_type), golden(f"{event_type}.json"))


@pytest.mark.parametrize("event_type", TYPES)
def test_golden_message_says_something_in_every_field_that_is_required(event_type: str) -> None:
    required = freeze.frozen_schemas(event_type)[0].get("required", [])

    assert set(required) <= set(golden(f"{event_type}.json")["body"]["data"])


def test_freezing_again_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = shutil.copytree(freeze.GOLDEN, tmp_path / "golden")
    before = {path: path.read_bytes() for path in copy.iterdir()}
    monkeypatch.setattr(freeze, "GOLDEN", copy)

    assert freeze.main() == 0

    assert {path: path.read_bytes() for path in copy.iterdir()} == before


def test_freezing_refuses_to_overwrite_what_was_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "variable.removed.v1.schema.json"
    published = golden(broken.name)
    published["properties"]["name"]["maxLength"] = 500
    broken.write_text(json.dumps(published))
    monkeypatch.setattr(freeze, "GOLDEN", tmp_path)

    assert freeze.main() == 1

    assert json.loads(broken.read_text()) == published
    assert (tmp_path / "variable.set.v1.schema.json").exists()


def test_freezing_keeps_an_older_schema_beside_the_one_with_a_new_field(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tmp_path / "variable.removed.v1.schema.json"
    published = golden(first.name)
    del published["properties"]["environment"]
    first.write_text(json.dumps(published))
    monkeypatch.setattr(freeze, "GOLDEN", tmp_path)

    assert freeze.main() == 0

    assert json.loads(first.read_text()) == published
    assert "environment" in golden("variable.removed.v1.schema.2.json")["properties"]


def test_messages_fit_into_what_the_server_takes_by_default() -> None:
    assert MAX_EVENT_BYTES < 1024 * 1024
