"""Notes of what is about to be deleted, a file each."""

import os
from collections.abc import Sequence
from pathlib import Path

import structlog
from pydantic import ValidationError

from windlass_builder.application.intents import Intent, Intents

_log = structlog.get_logger(__name__)


class IntentFiles(Intents):
    """The notes in `folder`, which all builders of a node share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def note(self, intent: Intent) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._file(intent)
        draft = file.with_suffix(".new")
        with draft.open("w") as writing:
            writing.write(intent.model_dump_json())
            writing.flush()
            os.fsync(writing.fileno())
        draft.replace(file)

    def noted(self) -> Sequence[Intent]:
        read = (_read(file) for file in sorted(self._folder.glob("*.json")))
        return [intent for intent in read if intent is not None]

    def forget(self, intent: Intent) -> None:
        self._file(intent).unlink(missing_ok=True)

    def _file(self, intent: Intent) -> Path:
        return self._folder / f"{intent.id}.json"


def _read(file: Path) -> Intent | None:
    try:
        return Intent.model_validate_json(file.read_text())
    except FileNotFoundError:  # another builder is done with it
        return None
    except ValidationError as error:
        _log.warning("intent.unreadable", file=str(file), reason=str(error))
        return None
