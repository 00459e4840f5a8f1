"""Addresses and ports are handed out in turn."""

from pathlib import Path

from windlass_builder.adapters.rotation import Rotation

NUMBERS = range(2, 7)


def test_number_that_is_free_again_comes_back_last(tmp_path: Path) -> None:
    rotation = Rotation(tmp_path / "memory.json")
    assert [rotation.next("network", NUMBERS, []) for _ in range(6)] == [2, 3, 4, 5, 6, 2]


def test_numbers_that_are_taken_are_passed_over(tmp_path: Path) -> None:
    rotation = Rotation(tmp_path / "memory.json")
    assert rotation.next("network", NUMBERS, [2, 3]) == 4
    assert rotation.next("network", NUMBERS, [2, 4, 5, 6]) == 3
    assert rotation.next("network", NUMBERS, [*NUMBERS]) is None


def test_what_was_handed_out_last_is_known_after_a_restart(tmp_path: Path) -> None:
    Rotation(tmp_path / "memory.json").next("one", NUMBERS, [])
    restarted = Rotation(tmp_path / "memory.json")
    assert (restarted.next("one", NUMBERS, []), restarted.next("other", NUMBERS, [])) == (3, 2)
    restarted.forget("one")
    assert restarted.next("one", NUMBERS, []) == 2
