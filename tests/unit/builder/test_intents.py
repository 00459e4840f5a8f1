"""Notes of what is about to be deleted outlive the process, and nothing unreadable among them keeps it from working."""

from pathlib import Path
from uuid import UUID

import pytest

from support import router_events as say
from windlass_builder.adapters.intents import IntentFiles
from windlass_builder.application.intents import Intent, Intents, OwnIntents
from windlass_contracts.events import StorageReclaimed
from windlass_contracts.ids import EventId


def intent(number: int) -> Intent:
    event = StorageReclaimed(node="one", kind="cache", name=f"cache-{number}", why="unreferenced", freed_bytes=7)
    return Intent(id=EventId(UUID(int=number)), team=say.TEAM, project=say.PROJECT, event=event)


@pytest.mark.parametrize("kind", ["files", "own"])
def test_what_is_noted_stays_until_it_is_forgotten(tmp_path: Path, kind: str) -> None:
    intents: Intents = IntentFiles(tmp_path / "intents") if kind == "files" else OwnIntents()
    assert list(intents.noted()) == []
    for number in (1, 2, 2):
        intents.note(intent(number))
    assert list(intents.noted()) == [intent(1), intent(2)]
    intents.forget(intent(1))
    intents.forget(intent(1))
    assert list(intents.noted()) == [intent(2)]


def test_notes_are_read_by_the_next_life_and_what_is_none_is_passed_over(tmp_path: Path) -> None:
    IntentFiles(tmp_path).note(intent(1))
    (tmp_path / "0.json").write_text("{")
    (tmp_path / "1.new").write_text("{")
    assert list(IntentFiles(tmp_path).noted()) == [intent(1)]
