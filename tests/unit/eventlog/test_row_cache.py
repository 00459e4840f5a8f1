"""What is kept of rows is what the database says, however reads and writes meet."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from support.eventlog_samples import Tally
from windlass_contracts.ids import TeamId
from windlass_eventlog.folding import AnyRow, Condition
from windlass_eventlog.postgres.kept_lists import KeptList
from windlass_eventlog.postgres.row_cache import Place, RowCache
from windlass_eventlog.projection import Versioned

KEYS = [UUID(int=number) for number in range(3)]
ROWS = "tallies"

Step = tuple[str, int]
steps = st.lists(
    st.tuples(st.sampled_from(["ask", "answer", "write", "say-written", "clear"]), st.integers(0, 2)), max_size=60
)


def row(key: UUID, sequence: int) -> Versioned[Tally]:
    return Versioned(key, Tally(team=TeamId(key), count=sequence, open=True), sequence)


def place(key: UUID) -> Place:
    return (ROWS, key)


ODD = (ROWS, (Condition("open", ("true",)),))


def is_odd(number: int) -> bool:
    return number % 2 == 1


def odd_row(key: UUID, sequence: int) -> AnyRow:
    """Return a row that is in the list of those that are odd, or not."""
    return Versioned(key, Tally(team=TeamId(key), count=sequence, open=is_odd(sequence)), sequence)


class Readers:
    """Reads that are under way: what each was given, at the moment it asked or at a later one."""

    def __init__(self, cache: RowCache, stored: Mapping[UUID, int]) -> None:
        self.cache = cache
        self.stored = stored
        self.under_way: list[tuple[object, UUID, int]] = []

    def ask(self, key: UUID) -> None:
        self.under_way.append((self.cache.begin([place(key)]), key, self.stored[key]))

    def answer(self) -> None:
        if self.under_way:
            reader, key, sequence = self.under_way.pop(0)
            self.cache.end(reader, [place(key)], {place(key): row(key, sequence)})


@given(steps)
def test_once_a_write_was_said_no_older_row_is_found(history: Sequence[Step]) -> None:
    stored = dict.fromkeys(KEYS, 0)
    said = dict(stored)
    cache = RowCache()
    readers = Readers(cache, stored)
    for step, number in history:
        key = KEYS[number]
        match step:
            case "ask":
                readers.ask(key)
            case "answer":
                readers.answer()
            case "write":
                stored[key] += 1
            case "say-written":
                cache.written({ROWS: {key: row(key, stored[key])}})
                said[key] = stored[key]
            case _:
                cache.clear()
                said.update(stored)
        found = {one: cache.get(place(one)) for one in KEYS}
        assert all(kept is None or kept.sequence >= said[one] for one, kept in found.items())


@given(steps)
def test_once_a_write_was_said_a_kept_list_has_it(history: Sequence[Step]) -> None:
    """Rows with an odd count are in the list; a read is of the moment at which it was begun, or of a later one."""
    stored = dict.fromkeys(KEYS, 0)
    said = dict(stored)
    cache, under_way = RowCache(), list[tuple[KeptList, Mapping[UUID, int]]]()

    def listed(at: Mapping[UUID, int]) -> list[AnyRow]:
        return [odd_row(key, at[key]) for key in sorted(KEYS, key=lambda key: -at[key]) if is_odd(at[key])]

    for step, number in history:
        key = KEYS[number]
        match step:
            case "ask":
                under_way.append((cache.lists.begin(ODD), dict(stored)))
            case "answer" if under_way:
                begun, then = under_way.pop(0)
                cache.lists.end(begun, listed(stored if number else then))
            case "write" if stored == said:  # one after the other, and each is said before the next
                stored[key] = max(stored.values()) + 1 + number % 2
            case "say-written":
                changed = {one: odd_row(one, stored[one]) for one in KEYS if stored[one] != said[one]}
                cache.written({ROWS: changed})
                said = dict(stored)
            case "clear":
                cache.clear()
                said = dict(stored)
            case _:
                continue
        kept = cache.lists.get(ODD)
        assert kept is None or stored != said or kept == listed(said)


def test_what_was_written_while_a_list_was_read_is_in_it() -> None:
    cache = RowCache()
    begun = cache.lists.begin(ODD)
    read = [odd_row(KEYS[0], 1), odd_row(KEYS[1], 3)]
    cache.written({ROWS: {KEYS[0]: odd_row(KEYS[0], 4), KEYS[2]: odd_row(KEYS[2], 5)}})
    cache.lists.end(begun, read)
    assert cache.lists.get(ODD) == [odd_row(KEYS[2], 5), odd_row(KEYS[1], 3)]


def test_a_list_that_could_not_be_read_or_is_void_by_then_is_not_kept() -> None:
    cache = RowCache()
    cache.lists.end(cache.lists.begin(ODD), None)
    void = cache.lists.begin(ODD)
    cache.clear()
    cache.lists.end(void, [odd_row(KEYS[0], 1)])
    assert cache.lists.get(ODD) is None


def test_a_row_that_was_read_is_found_again_as_it_was_written_since() -> None:
    cache = RowCache()
    reader = cache.begin([place(KEYS[0])])
    cache.end(reader, [place(KEYS[0])], {place(KEYS[0]): row(KEYS[0], 7)})
    assert cache.get(place(KEYS[0])) == row(KEYS[0], 7)
    cache.written({ROWS: {KEYS[0]: row(KEYS[0], 8)}})
    assert cache.get(place(KEYS[0])) == row(KEYS[0], 8)
    cache.written({ROWS: {KEYS[0]: None}})
    assert cache.get(place(KEYS[0])) is None


def test_that_there_is_no_row_is_known_until_one_is_written() -> None:
    cache = RowCache()
    reader = cache.begin([place(KEYS[0])])
    cache.end(reader, [place(KEYS[0])], {place(KEYS[0]): None})
    assert place(KEYS[0]) in cache
    assert cache.get(place(KEYS[0])) is None
    cache.written({ROWS: {KEYS[0]: row(KEYS[0], 8)}})
    assert cache.get(place(KEYS[0])) == row(KEYS[0], 8)


def test_a_read_that_failed_tells_nothing() -> None:
    cache = RowCache()
    reader = cache.begin([place(KEYS[0])])
    cache.end(reader, [place(KEYS[0])], {})
    assert place(KEYS[0]) not in cache


def test_the_row_that_was_not_asked_for_longest_makes_room() -> None:
    cache = RowCache(limit=2)
    for number, key in enumerate(KEYS):
        reader = cache.begin([place(key)])
        cache.end(reader, [place(key)], {place(key): row(key, number)})
        cache.get(place(KEYS[0]))
    assert [cache.get(place(key)) is not None for key in KEYS] == [True, False, True]


def test_a_listed_row_is_read_once_and_again_when_it_has_changed_or_all_was_dropped() -> None:
    cache, read = RowCache(), list[int]()

    def listed(sequence: int) -> None:
        def parse() -> Versioned[Tally]:
            read.append(sequence)
            return row(KEYS[0], sequence)

        assert cache.parsed.get(place(KEYS[0]), sequence, parse).sequence == sequence

    for sequence in (1, 1, 2, 2):
        listed(sequence)
    cache.clear()
    listed(2)
    assert read == [1, 2, 2]
