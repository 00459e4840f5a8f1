"""Names and notes lie in buckets: what was deleted there, or cannot be read, is not found and breaks nothing."""

from uuid import uuid4

from windlass_eventlog.memory.buckets import MemoryKeyValue
from windlass_gateway.application.personal import Person, Personal


async def test_names_and_notes_are_found_by_id_until_they_are_deleted() -> None:
    personal = Personal(MemoryKeyValue(), MemoryKeyValue())
    ada, gone, damaged = uuid4(), uuid4(), uuid4()
    note = uuid4()
    await personal.people.create(str(ada), Person(name="Ada", email="ada@example.com").model_dump_json().encode())
    await personal.people.create(str(damaged), b"{")
    await personal.notes.create(str(note), "Straße \N{BEAR FACE}".encode())

    assert await personal.names([ada, gone, damaged, ada]) == {ada: "Ada"}
    assert await personal.texts([note, uuid4()]) == {note: "Straße \N{BEAR FACE}"}

    await personal.people.delete(str(ada))
    assert await personal.names([ada]) == {}
